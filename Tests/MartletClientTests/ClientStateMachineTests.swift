import MartletValues
import MartletWire
import TestSupport
import Testing

@testable import MartletClient

/// Waiters and sinks are names here: what the machine does is a list that can be compared.
@Suite("What the client decides")
struct ClientStateMachineTests {
  typealias Machine = ClientStateMachine<String, String>
  typealias Event = Machine.Event
  typealias Action = Machine.Action

  @Test("Connecting says hello, and is done when the server welcomes")
  func connects() {
    var script = Script(token: "t")
    #expect(script.handle(.start("starter")) == [.connect])
    #expect(script.handle(.connected) == [.send(line(#"hello {"protocol":1,"session":"mine","token":"t"}"#))])
    #expect(script.handle(.received(.welcome(Self.welcome))) == [.answer("starter", .success(Self.empty))])
  }

  @Test("The first connection is not tried again")
  func firstAttemptFails() {
    var script = Script()
    _ = script.handle(.start("starter"))
    let error = MartletError(.connectionLost, "can't connect: refused")
    #expect(script.handle(.connectionEnded(reason: "refused")) == [.answer("starter", .failure(error))])
    #expect(script.handle(.reconnectDue) == [])
    #expect(script.handle(.request(id: 1, Self.call(1), "w")) == [.answer("w", .failure(error))])
    #expect(script.handle(.close("c")) == [.answer("c", .success(Self.empty))])
  }

  @Test("A server that doesn't welcome in time is given up")
  func noWelcome() {
    var script = Script()
    _ = script.handle(.start("starter"))
    _ = script.handle(.connected)
    let error = MartletError(.connectionLost, "can't connect: the server did not answer in time")
    #expect(script.handle(.connectTimedOut) == [.abandonConnection, .answer("starter", .failure(error))])
  }

  @Test("A timer that fires after the welcome changes nothing")
  func lateTimer() {
    var script = Script.open()
    #expect(script.handle(.connectTimedOut) == [])
    #expect(script.handle(.reconnectDue) == [])
    #expect(script.handle(.closeDue) == [])
  }

  @Test("A refused token is the end, on the first connection and on a later one")
  func refusedToken() {
    let refusal = ServerMessage.error(id: nil, WireError(.unauthenticated, "expired"))
    let error = MartletError(.unauthenticated, "expired")
    var first = Script()
    _ = first.handle(.start("starter"))
    _ = first.handle(.connected)
    #expect(first.handle(.received(refusal)) == [.abandonConnection, .answer("starter", .failure(error))])

    var later = Script.open()
    _ = later.handle(.subscribe(id: 1, line: line("subscribe 1 a:b {}"), "sink"))
    _ = later.handle(.connectionEnded(reason: "r"))
    _ = later.handle(.reconnectDue)
    _ = later.handle(.connected)
    #expect(later.handle(.received(refusal)) == [.abandonConnection, .finish("sink", error)])
    #expect(later.handle(.subscribe(id: 2, line: [], "late")) == [.finish("late", error)])
  }

  @Test("A server that is only busy is tried again")
  func busyServer() {
    var script = Script.open()
    _ = script.handle(.connectionEnded(reason: "r"))
    _ = script.handle(.reconnectDue)
    _ = script.handle(.connected)
    let busy = ServerMessage.error(id: nil, WireError(.overloaded, "too many connections"))
    #expect(script.handle(.received(busy)) == [.abandonConnection, .scheduleReconnect(attempt: 2)])
  }

  @Test("A server of another protocol version is refused")
  func otherVersion() {
    var script = Script()
    _ = script.handle(.start("starter"))
    _ = script.handle(.connected)
    var welcome = Self.welcome
    welcome.protocolVersion = 2
    let actions = script.handle(.received(.welcome(welcome)))
    #expect(actions.first == .abandonConnection)
    guard case .answer("starter", .failure(let error)) = actions.last else {
      Issue.record("\(actions)")
      return
    }
    #expect(error.code == .unexpectedAnswer)
  }

  // MARK: Requests

  @Test("Requests are pipelined, and answered in any order, each once")
  func pipelined() {
    var script = Script.open()
    #expect(script.handle(.request(id: 1, Self.call(1), "a")) == [.send(Self.call(1).line)])
    #expect(script.handle(.request(id: 2, Self.call(2), "b")) == [.send(Self.call(2).line)])
    let two = Answer(timestamp: 9, json: Array("2".utf8))
    #expect(script.handle(.received(.ok(id: 2, timestamp: 9, json: two.json))) == [.answer("b", .success(two))])
    #expect(script.handle(.received(.ok(id: 2, timestamp: 9, json: two.json))) == [])
    let failure = WireError(.application, "no funds", data: "x")
    #expect(
      script.handle(.received(.error(id: 1, failure))) == [
        .answer("a", .failure(MartletError(.application, "no funds", data: "x")))
      ])
  }

  @Test("Promise 6: queries and mutations in flight are sent again in their order; actions fail, as they may have run")
  func lost() {
    var script = Script.open()
    _ = script.handle(.request(id: 2, Self.mutation(2), "b"))
    _ = script.handle(.request(id: 1, Self.call(1), "a"))
    _ = script.handle(.request(id: 3, Self.action(3), "c"))
    _ = script.handle(.request(id: 4, Self.mutation(4), "d"))
    _ = script.handle(.received(.ok(id: 4, timestamp: 1, json: [])))
    let actions = script.handle(.connectionEnded(reason: "reset"))
    #expect(actions.count == 3)
    guard case .answer("c", .failure(let error)) = actions.first else {
      Issue.record("\(actions)")
      return
    }
    #expect(error.code == .connectionLost)
    #expect(error.message.contains("reset"))
    #expect(actions.dropFirst() == [.scheduleReconnect(attempt: 1), .scheduleOfflineDue(loss: 1)])
    #expect(script.handle(.request(id: 5, Self.action(5), "e")) == [], "what is made meanwhile waits")
    #expect(script.handle(.cancel(id: 1)) == [.answer("a", .failure(MartletError(.cancelled, "the caller cancelled the request")))])
    #expect(script.reconnect() == [.send(Self.mutation(2).line), .send(Self.action(5).line)])
  }

  @Test("After long without a connection all that waits fails, and so do new requests until there is one")
  func offline() {
    var script = Script.open()
    _ = script.handle(.request(id: 1, Self.mutation(1), "a"))
    _ = script.handle(.connectionEnded(reason: "reset"))
    _ = script.reconnect()
    #expect(script.handle(.offlineDue(loss: 1)) == [], "it was not long")
    _ = script.handle(.connectionEnded(reason: "reset"))
    #expect(script.handle(.offlineDue(loss: 1)) == [], "that was the loss before")
    for (event, waiter) in [(Event.offlineDue(loss: 2), "a"), (.request(id: 2, Self.mutation(2), "b"), "b")] {
      guard case .answer(waiter, .failure(let error)) = script.handle(event).first else {
        Issue.record("\(waiter) is not answered")
        return
      }
      #expect(error.code == .connectionLost)
    }
    #expect(script.reconnect() == [])
    #expect(script.handle(.request(id: 3, Self.mutation(3), "c")) == [.send(Self.mutation(3).line)])
  }

  @Test("What a server refuses because it is shutting down is run by the next one")
  func shuttingDown() {
    var script = Script.open()
    _ = script.handle(.request(id: 1, Self.mutation(1), "a"))
    _ = script.handle(.request(id: 2, Self.action(2), "b"))
    for id: UInt64 in 1...2 { #expect(script.handle(.received(.error(id: id, WireError(.shuttingDown, "bye")))) == []) }
    #expect(script.handle(.connectionEnded(reason: "closed")) == [.scheduleReconnect(attempt: 1), .scheduleOfflineDue(loss: 1)])
    #expect(script.reconnect() == [.send(Self.mutation(1).line), .send(Self.action(2).line)])
  }

  @Test("A subscription that a server refuses because it is shutting down is asked of the next one")
  func subscribedWhileShuttingDown() {
    var script = Script.open()
    let subscribe = line("subscribe 1 a:b {}")
    _ = script.handle(.subscribe(id: 1, line: subscribe, "s"))
    #expect(script.handle(.received(.error(id: 1, WireError(.shuttingDown, "bye")))) == [])
    _ = script.handle(.connectionEnded(reason: "closed"))
    #expect(script.reconnect() == [.send(subscribe)])
  }

  @Test("No more mutations are on the wire than the server keeps answers of")
  func boundedMutations() {
    var script = Script.open(maximumRequestsInFlight: 5_000)
    for id: UInt64 in 1...1_000 { #expect(script.handle(.request(id: id, Self.mutation(id), "\(id)")).count == 1) }
    #expect(script.handle(.request(id: 1_001, Self.mutation(1_001), "x")) == [])
    #expect(script.handle(.request(id: 1_002, Self.call(1_002), "y")) == [], "order is kept")
    #expect(
      script.handle(.received(.ok(id: 7, timestamp: 1, json: []))) == [
        .answer("7", .success(Answer(timestamp: 1, json: []))), .send(Self.mutation(1_001).line), .send(Self.call(1_002).line),
      ])
    _ = script.handle(.request(id: 1_003, Self.mutation(1_003), "z"))
    #expect(script.handle(.close("c")) == [.send(Self.mutation(1_003).line), .send(line("bye")), .scheduleCloseDue])
  }

  @Test("The state that an app is shown follows the connection")
  func states() {
    var script = Script()
    #expect(script.state() == .connecting)
    _ = script.handle(.start("s"))
    _ = script.handle(.connected)
    #expect(script.state() == .connecting)
    _ = script.handle(.received(.welcome(Self.welcome)))
    #expect(script.state() == .connected)
    _ = script.handle(.connectionEnded(reason: "reset"))
    #expect(script.state() == .reconnecting(attempt: 1, reason: "reset"))
    _ = script.handle(.reconnectDue)
    _ = script.handle(.connectionEnded(reason: "refused"))
    #expect(script.state() == .reconnecting(attempt: 2, reason: "refused"))
    _ = script.reconnect()
    #expect(script.state() == .connected)
    _ = script.handle(.close(nil))
    #expect(script.state() == .closed(nil))
  }

  @Test("What the server says before it closes is in the error")
  func farewell() {
    var script = Script.open()
    _ = script.handle(.request(id: 1, Self.action(1), "a"))
    #expect(script.handle(.received(.closing(WireError(.shuttingDown, "maintenance")))) == [])
    guard case .answer("a", .failure(let error)) = script.handle(.connectionEnded(reason: "closed")).first else {
      Issue.record("the request was not answered")
      return
    }
    #expect(error.message.contains("shutting_down: maintenance"))
  }

  @Test("A cancelled request is answered at once, and the server is told; its late answer is dropped")
  func cancelled() {
    var script = Script.open()
    _ = script.handle(.request(id: 1, Self.call(1), "a"))
    let actions = script.handle(.cancel(id: 1))
    #expect(
      actions == [
        .send(line("cancel 1")), .answer("a", .failure(MartletError(.cancelled, "the caller cancelled the request"))),
      ])
    #expect(script.handle(.received(.error(id: 1, WireError(.cancelled, "")))) == [])
    #expect(script.handle(.cancel(id: 1)) == [])
  }

  @Test("Requests in flight are bounded")
  func bounded() {
    var script = Script.open(maximumRequestsInFlight: 2)
    _ = script.handle(.request(id: 1, Self.call(1), "a"))
    _ = script.handle(.request(id: 2, Self.call(2), "b"))
    guard case .answer("c", .failure(let error)) = script.handle(.request(id: 3, Self.call(3), "c")).first else {
      Issue.record("the third request is not refused")
      return
    }
    #expect(error.code == .overloaded)
    _ = script.handle(.received(.pong(id: 1)))
    #expect(script.handle(.request(id: 4, Self.call(4), "d")) == [.send(Self.call(4).line)])
  }

  @Test("A line that is longer than the server takes is not sent")
  func tooLong() {
    var script = Script.open(maximumLineBytes: 20)
    let fits = Machine.Request.call(.query, line: Array(repeating: 0x78, count: 20) + [0x0A])
    let tooLong = Machine.Request.call(.query, line: Array(repeating: 0x78, count: 21) + [0x0A])
    #expect(script.handle(.request(id: 1, fits, "a")) == [.send(fits.line)])
    guard case .answer("b", .failure(let error)) = script.handle(.request(id: 2, tooLong, "b")).first else {
      Issue.record("it is not refused")
      return
    }
    #expect(error.code == .lineTooLong)
    guard case .finish("s", let end?) = script.handle(.subscribe(id: 3, line: tooLong.line, "s")).first else {
      Issue.record("the subscription is not refused")
      return
    }
    #expect(end.code == .lineTooLong)
  }

  @Test("A token that the server took is what the next connection says")
  func authentication() {
    var script = Script.open(token: "old")
    _ = script.handle(.request(id: 1, .auth(line: line("auth 1 bad"), token: "bad"), "a"))
    _ = script.handle(.received(.error(id: 1, WireError(.unauthenticated, "no"))))
    _ = script.handle(.connectionEnded(reason: "r"))
    _ = script.handle(.reconnectDue)
    #expect(script.handle(.connected) == [.send(line(#"hello {"protocol":1,"session":"mine","token":"old"}"#))])
    _ = script.handle(.received(.welcome(Self.welcome)))
    _ = script.handle(.request(id: 2, .auth(line: line("auth 2 new"), token: "new"), "b"))
    _ = script.handle(.received(.ok(id: 2, timestamp: 1, json: [])))
    _ = script.handle(.connectionEnded(reason: "r"))
    _ = script.handle(.reconnectDue)
    #expect(script.handle(.connected) == [.send(line(#"hello {"protocol":1,"session":"mine","token":"new"}"#))])
  }

  // MARK: Subscriptions

  @Test("Values are delivered at the synced that follows them, the newest of each subscription")
  func synced() {
    var script = Script.open()
    let one = line("subscribe 1 a:b {}")
    #expect(script.handle(.subscribe(id: 1, line: one, "one")) == [.send(one)])
    _ = script.handle(.subscribe(id: 2, line: line("subscribe 2 a:c {}"), "two"))
    #expect(script.handle(.received(.update(id: 2, json: [0x31]))) == [])
    #expect(script.handle(.received(.failed(id: 1, WireError(.functionFailed, "m")))) == [])
    #expect(script.handle(.received(.update(id: 2, json: [0x32]))) == [])
    #expect(
      script.handle(.received(.synced(timestamp: 7))) == [
        .deliver("two", Delivery(result: .success([0x32]), timestamp: 7)),
        .deliver("one", Delivery(result: .failure(MartletError(.functionFailed, "m")), timestamp: 7)),
      ])
    #expect(script.handle(.received(.synced(timestamp: 8))) == [])
  }

  @Test("Nothing is delivered to a subscription that has ended, and what comes late is dropped")
  func unsubscribed() {
    var script = Script.open()
    _ = script.handle(.subscribe(id: 1, line: [], "one"))
    _ = script.handle(.received(.update(id: 1, json: [0x31])))
    #expect(script.handle(.unsubscribe(id: 1)) == [.send(line("unsubscribe 1"))])
    #expect(script.handle(.received(.synced(timestamp: 7))) == [])
    #expect(script.handle(.received(.update(id: 1, json: [0x32]))) == [])
    #expect(script.handle(.received(.synced(timestamp: 8))) == [])
    #expect(script.handle(.received(.ok(id: 1, timestamp: 8, json: []))) == [])
    #expect(script.handle(.unsubscribe(id: 1)) == [])
  }

  @Test("A subscription that the server refuses ends with the server's error")
  func refusedSubscription() {
    var script = Script.open()
    _ = script.handle(.subscribe(id: 1, line: [], "one"))
    #expect(
      script.handle(.received(.error(id: 1, WireError(.unknownFunction, "m")))) == [
        .finish("one", MartletError(.unknownFunction, "m"))
      ])
    #expect(script.handle(.unsubscribe(id: 1)) == [])
  }

  @Test("Subscriptions outlive the connection: each is sent again, in order, and what was not synced is dropped")
  func resubscribes() {
    var script = Script.open()
    let lines = (1...3).map { line("subscribe \($0) a:b {}") }
    for (index, line) in lines.enumerated() {
      _ = script.handle(.subscribe(id: UInt64(index + 1), line: line, "s\(index + 1)"))
    }
    _ = script.handle(.received(.update(id: 1, json: [0x31])))
    _ = script.handle(.unsubscribe(id: 2))
    #expect(script.handle(.connectionEnded(reason: "r")) == [.scheduleReconnect(attempt: 1), .scheduleOfflineDue(loss: 1)])
    #expect(script.handle(.subscribe(id: 4, line: line("subscribe 4 a:b {}"), "s4")) == [])
    #expect(script.handle(.reconnectDue) == [.connect])
    #expect(script.handle(.connectionEnded(reason: "refused")) == [.scheduleReconnect(attempt: 2)])
    #expect(script.handle(.reconnectDue) == [.connect])
    #expect(script.handle(.connectionEnded(reason: "refused")) == [.scheduleReconnect(attempt: 3)])
    #expect(script.reconnect() == [.send(lines[0]), .send(lines[2]), .send(line("subscribe 4 a:b {}"))])
    #expect(script.handle(.received(.synced(timestamp: 9))) == [])
    _ = script.handle(.received(.update(id: 1, json: [0x32])))
    #expect(
      script.handle(.received(.synced(timestamp: 10))) == [
        .deliver("s1", Delivery(result: .success([0x32]), timestamp: 10))
      ])
    // The count of attempts begins anew after a connection that opened.
    #expect(script.handle(.connectionEnded(reason: "r")) == [.scheduleReconnect(attempt: 1), .scheduleOfflineDue(loss: 2)])
  }

  // MARK: Patches

  @Test("The server is asked for patches where the client takes them")
  func asksForPatches() {
    var script = Script(acceptsPatches: true)
    _ = script.handle(.start("starter"))
    #expect(script.handle(.connected) == [.send(line(#"hello {"protocol":1,"session":"mine","patches":true}"#))])
  }

  private static func json(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test("A patch changes the last value that came, whether it was delivered or not, and is delivered with its snapshot")
  func patches() {
    var script = Script.open(acceptsPatches: true)
    _ = script.handle(.subscribe(id: 1, line: [], "one"))
    _ = script.handle(.received(.update(id: 1, json: Self.json("[1,2]"))))
    _ = script.handle(.received(.synced(timestamp: 1)))
    #expect(script.handle(.received(.patch(id: 1, json: Self.json(#"[["remove",[0]]]"#)))) == [])
    #expect(script.handle(.received(.patch(id: 1, json: Self.json(#"[["insert",[1],3]]"#)))) == [])
    #expect(
      script.handle(.received(.synced(timestamp: 2))) == [
        .deliver("one", Delivery(result: .success(Self.json("[2,3]")), timestamp: 2))
      ])
    _ = script.handle(.received(.update(id: 1, json: Self.json("[7]"))))
    _ = script.handle(.received(.patch(id: 1, json: Self.json(#"[["set",[0],8]]"#))))
    #expect(
      script.handle(.received(.synced(timestamp: 3))) == [
        .deliver("one", Delivery(result: .success(Self.json("[8]")), timestamp: 3))
      ])
    #expect(script.handle(.received(.patch(id: 9, json: Self.json("[]")))) == [], "of a subscription that has ended")
  }

  @Test("A patch that doesn't fit, or has no value to change, has the subscription made anew; what was on its way is dropped")
  func patchesThatDoNotFit() {
    var script = Script.open(acceptsPatches: true)
    let subscribe = line("subscribe 1 a:b {}")
    let anew: [Action] = [.send(line("unsubscribe 1")), .send(subscribe)]
    let patch = ServerMessage.patch(id: 1, json: Self.json(#"[["set",[0],8]]"#))
    _ = script.handle(.subscribe(id: 1, line: subscribe, "one"))
    _ = script.handle(.received(.update(id: 1, json: Self.json("[]"))))
    _ = script.handle(.received(.synced(timestamp: 1)))
    #expect(script.handle(.received(patch)) == anew)
    #expect(script.handle(.received(.synced(timestamp: 2))) == [])
    #expect(script.handle(.received(patch)) == [])
    #expect(script.handle(.received(.ok(id: 1, timestamp: 2, json: Self.json("null")))) == [])
    _ = script.handle(.received(.update(id: 1, json: Self.json("[1]"))))
    _ = script.handle(.received(patch))
    #expect(
      script.handle(.received(.synced(timestamp: 3))) == [
        .deliver("one", Delivery(result: .success(Self.json("[8]")), timestamp: 3))
      ])
    _ = script.handle(.received(.failed(id: 1, WireError(.application, "m"))))
    #expect(script.handle(.received(patch)) == anew)
  }

  @Test("After a connection that broke, patches are of the new connection's values")
  func patchesAfterReconnect() {
    var script = Script.open(acceptsPatches: true)
    _ = script.handle(.subscribe(id: 1, line: line("subscribe 1 a:b {}"), "one"))
    _ = script.handle(.received(.update(id: 1, json: Self.json("[1]"))))
    _ = script.handle(.received(.synced(timestamp: 1)))
    _ = script.handle(.received(.patch(id: 1, json: Self.json("broken"))))
    _ = script.handle(.connectionEnded(reason: "r"))
    #expect(script.reconnect() == [.send(line("subscribe 1 a:b {}"))])
    _ = script.handle(.received(.update(id: 1, json: Self.json("[5]"))))
    #expect(script.handle(.received(.patch(id: 1, json: Self.json(#"[["insert",[0],4]]"#)))) == [])
    #expect(
      script.handle(.received(.synced(timestamp: 2))) == [
        .deliver("one", Delivery(result: .success(Self.json("[4,5]")), timestamp: 2))
      ])
  }

  @Test("Bytes that aren't the protocol end the connection")
  func garbage() {
    var script = Script.open()
    #expect(
      script.handle(.receivedGarbage(reason: "HTTP/1.1")) == [
        .abandonConnection, .scheduleReconnect(attempt: 1), .scheduleOfflineDue(loss: 1),
      ])
  }

  // MARK: Closing

  @Test("Closing ends subscriptions, lets what is in flight finish, and is done when the server closes")
  func closing() {
    var script = Script.open()
    _ = script.handle(.subscribe(id: 1, line: [], "sink"))
    _ = script.handle(.request(id: 2, Self.call(2), "a"))
    #expect(script.handle(.close("c1")) == [.finish("sink", nil), .send(line("bye")), .scheduleCloseDue])
    #expect(script.handle(.close("c2")) == [])
    let closed = MartletError(.clientClosed, "this client has been closed")
    #expect(script.handle(.request(id: 3, Self.call(3), "b")) == [.answer("b", .failure(closed))])
    #expect(script.handle(.subscribe(id: 4, line: [], "late")) == [.finish("late", nil)])
    #expect(
      script.handle(.received(.ok(id: 2, timestamp: 5, json: []))) == [
        .answer("a", .success(Answer(timestamp: 5, json: [])))
      ])
    #expect(
      script.handle(.connectionEnded(reason: "closed")) == [
        .answer("c1", .success(Self.empty)), .answer("c2", .success(Self.empty)),
      ])
    #expect(script.handle(.closeDue) == [])
    #expect(script.handle(.close("c3")) == [.answer("c3", .success(Self.empty))])
  }

  @Test("A server that doesn't close is left")
  func closeDue() {
    var script = Script.open()
    _ = script.handle(.request(id: 1, Self.call(1), "a"))
    _ = script.handle(.close("c"))
    let actions = script.handle(.closeDue)
    #expect(actions.count == 3)
    #expect(actions.first == .abandonConnection)
    #expect(actions.last == .answer("c", .success(Self.empty)))
  }

  @Test("Closing while the client connects again ends its subscriptions")
  func closingWithoutConnection() {
    var script = Script.open()
    _ = script.handle(.subscribe(id: 1, line: [], "sink"))
    _ = script.handle(.connectionEnded(reason: "r"))
    #expect(
      script.handle(.close("c")) == [.finish("sink", nil), .abandonConnection, .answer("c", .success(Self.empty))])
    #expect(script.handle(.reconnectDue) == [])
  }

  @Test("A client that was closed before it started doesn't start")
  func closedBeforeStart() {
    var script = Script()
    _ = script.handle(.close(nil))
    let closed = MartletError(.clientClosed, "this client has been closed")
    #expect(script.handle(.start("starter")) == [.answer("starter", .failure(closed))])
  }

  // MARK: Any order

  @Test("Whatever happens in whatever order, each waiter is answered once and each sink finished once", arguments: UInt64(0)..<300)
  func anyOrder(seed: UInt64) {
    var random = TestRandom(seed: seed)
    var script = Script(maximumRequestsInFlight: 5)
    var answered: [String: Int] = [:]
    var finished: [String: Int] = [:]
    var waiters = Set<String>()
    var sinks = Set<String>()
    var unsubscribed = Set<String>()
    var nextID: UInt64 = 0
    func run(_ event: sending Event) {
      for action in script.handle(event) {
        switch action {
        case .answer(let waiter, _): answered[waiter, default: 0] += 1
        case .finish(let sink, _): finished[sink, default: 0] += 1
        case .deliver(let sink, _): #expect(finished[sink] == nil && !unsubscribed.contains(sink))
        case .connect, .send, .scheduleReconnect, .scheduleCloseDue, .scheduleOfflineDue, .abandonConnection: break
        }
      }
    }
    waiters.insert("start")
    run(.start("start"))
    for _ in 0..<80 {
      let known = UInt64.random(in: 0...nextID, using: &random)
      switch Int.random(in: 0..<24, using: &random) {
      case 0, 1: run(.connected)
      case 2: run(.connectionEnded(reason: "r"))
      case 3: run(.connectTimedOut)
      case 4, 5: run(.reconnectDue)
      case 6, 7: run(.received(.welcome(Self.welcome)))
      case 8: run(.received(.error(id: nil, WireError(.overloaded, ""))))
      case 9: run(.received(.error(id: known, WireError(.cancelled, ""))))
      case 10: run(.received(.ok(id: known, timestamp: 1, json: [])))
      case 11: run(.received(.update(id: known, json: [])))
      case 12: run(.received(.failed(id: known, WireError(.timeout, ""))))
      case 13: run(.received(.synced(timestamp: 1)))
      case 14: run(.cancel(id: known))
      case 15:
        unsubscribed.insert("s\(known)")
        run(.unsubscribe(id: known))
      case 16: if Int.random(in: 0..<8, using: &random) == 0 { run(.closeDue) }
      case 17: run(.receivedGarbage(reason: "g"))
      case 18, 19:
        nextID += 1
        waiters.insert("w\(nextID)")
        let make = [Self.call, Self.mutation, Self.action].randomElement(using: &random)!
        run(.request(id: nextID, make(nextID), "w\(nextID)"))
      case 20: run(.offlineDue(loss: Int.random(in: 0..<5, using: &random)))
      case 21: run(.received(.error(id: known, WireError(.shuttingDown, ""))))
      default:
        nextID += 1
        sinks.insert("s\(nextID)")
        run(.subscribe(id: nextID, line: [], "s\(nextID)"))
      }
    }
    waiters.insert("close")
    run(.close("close"))
    run(.closeDue)
    for waiter in waiters { #expect(answered[waiter] == 1, "\(waiter)") }
    for sink in sinks { #expect(finished[sink, default: 0] == 1 || unsubscribed.contains(sink), "\(sink)") }
    for count in finished.values { #expect(count == 1) }
  }

  // MARK: Means

  static let welcome = Welcome(server: "martlet/test", session: "s", maxLineBytes: 1 << 20)
  static let empty = Answer(timestamp: 0, json: [])

  static func call(_ id: UInt64) -> Machine.Request { .call(.query, line: line("query \(id) a:b {}")) }
  static func mutation(_ id: UInt64) -> Machine.Request { .call(.mutation, line: line("mutation \(id) a:b {}")) }
  static func action(_ id: UInt64) -> Machine.Request { .call(.action, line: line("action \(id) a:b {}")) }
}

private func line(_ text: String) -> [UInt8] { Array("\(text)\n".utf8) }

private struct Script: ~Copyable {
  var machine: ClientStateMachineTests.Machine

  init(token: String? = nil, maximumRequestsInFlight: Int = 100, acceptsPatches: Bool = false) {
    machine = .init(
      session: "mine", token: token, maximumRequestsInFlight: maximumRequestsInFlight, acceptsPatches: acceptsPatches)
  }

  static func open(
    token: String? = nil, maximumRequestsInFlight: Int = 100, maximumLineBytes: Int = 1 << 20, acceptsPatches: Bool = false
  ) -> Script {
    var script = Script(token: token, maximumRequestsInFlight: maximumRequestsInFlight, acceptsPatches: acceptsPatches)
    _ = script.handle(.start("starter"))
    _ = script.handle(.connected)
    var welcome = ClientStateMachineTests.welcome
    welcome.maxLineBytes = maximumLineBytes
    _ = script.handle(.received(.welcome(welcome)))
    return script
  }

  mutating func handle(_ event: ClientStateMachineTests.Event) -> [ClientStateMachineTests.Action] {
    var actions: [ClientStateMachineTests.Action] = []
    machine.handle(event, &actions)
    return actions
  }

  mutating func state() -> ConnectionState { machine.connectionState }

  /// From waiting to open; what the welcome sets off.
  mutating func reconnect() -> [ClientStateMachineTests.Action] {
    _ = handle(.reconnectDue)
    _ = handle(.connected)
    return handle(.received(.welcome(ClientStateMachineTests.welcome)))
  }
}
