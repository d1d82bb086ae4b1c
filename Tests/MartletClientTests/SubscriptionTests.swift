import MartletClient
import Testing

@Suite("Subscriptions over a socket", .timeLimit(.minutes(1)))
struct SubscriptionTests {
  @Test("A loop gets the values, and leaving it unsubscribes")
  func loop() async throws {
    let (lines, continuation) = AsyncStream.makeStream(of: String.self)
    try await withClient { _, line in
      continuation.yield(line)
      let words = line.split(separator: " ")
      switch words[0] {
      case "subscribe": return ["update \(words[1]) 1", "synced 10"]
      case "mutation": return ["ok \(words[1]) 11 null", "update 1 2", "synced 11"]
      default: return ["ok \(words[1]) 12 null"]
      }
    } body: { client, _ in
      var seen: [Double] = []
      let call = FunctionCall<Double>(kind: .query, name: "m:n", arguments: Array(#"{"of":"x"}"#.utf8))
      for try await number in client.subscribe(call) {
        seen.append(number)
        if seen.count == 2 { break }
        _ = try await client.mutation("m:grow")
      }
      #expect(seen == [1, 2])
      var received = lines.makeAsyncIterator()
      #expect(await received.next() == #"subscribe 1 m:n {"of":"x"}"#)
      #expect(await received.next() == "mutation 2 m:grow {}")
      #expect(await received.next() == "unsubscribe 1")
    }
  }

  @Test("A query that throws ends the loop, but is an element of results and updates")
  func failures() async throws {
    try await withClient { _, line in
      let words = line.split(separator: " ")
      switch words[0] {
      case "subscribe": return [#"failed \#(words[1]) {"code":"application","message":"none yet"}"#, "synced 2"]
      case "mutation": return ["ok \(words[1]) 3 null", "update \(words[2].dropFirst(2)) 5", "synced 4"]
      default: return ["ok \(words[1]) 5 null"]
      }
    } body: { client, _ in
      let failure = MartletError(.application, "none yet")
      await #expect(throws: failure) { for try await _ in client.subscribe("m:n") {} }

      var results = client.subscribe("m:n").results.makeAsyncIterator()
      #expect(try await results.next() == .failure(failure))
      var updates = client.subscribe("m:n").updates.makeAsyncIterator()
      let update = try await updates.next()
      #expect(update?.result == .failure(failure))
      #expect(update?.timestamp == 2)
      // Ids are given in order: the subscriptions above have 1, 2 and 3. The function's name tells which one to update.
      _ = try await client.mutation("m:2")
      #expect(try await results.next() == .success(5))
      _ = try await client.mutation("m:3")
      #expect(try await updates.next()?.timestamp == 4)
    }
  }

  @Test("A subscription that the server refuses throws its error")
  func refused() async throws {
    try await withClient { _, line in
      [#"error \#(line.split(separator: " ")[1]) {"code":"unknown_function","message":"m"}"#]
    } body: { client, _ in
      await #expect(throws: MartletError(.unknownFunction, "m")) {
        for try await _ in client.subscribe("m:n").results {}
      }
    }
  }

  @Test("A slow reader gets the newest value, not the ones between")
  func newestOnly() async throws {
    try await withClient { _, line in
      let words = line.split(separator: " ")
      guard words[0] == "subscribe" else { return ["pong \(words[1])"] }
      return (1...1000).flatMap { ["update \(words[1]) \($0)", "synced \($0)"] }
    } body: { client, _ in
      var numbers = client.subscribe("m:n").updates.makeAsyncIterator()
      // The pong comes behind all updates.
      try await client.ping()
      let newest = try await numbers.next()
      #expect(newest?.timestamp == 1000)
      #expect(try newest?.value == 1000)
    }
  }

  @Test("A task that is cancelled while it waits leaves the loop without an error")
  func cancelled() async throws {
    try await withClient { _, line in
      let words = line.split(separator: " ")
      return words[0] == "subscribe" ? ["update \(words[1]) 1", "synced 1"] : ["ok \(words[1]) 2 null"]
    } body: { client, _ in
      let (values, continuation) = AsyncStream.makeStream(of: Value.self)
      let task = Task {
        for try await value in client.subscribe("m:n") { continuation.yield(value) }
      }
      for await _ in values { break }
      task.cancel()
      try await task.value
    }
  }

  @Test("close ends loops without an error")
  func closed() async throws {
    try await withClient { _, line in
      ["update \(line.split(separator: " ")[1]) 1", "synced 1"]
    } body: { client, _ in
      for try await _ in client.subscribe("m:n") { await client.close() }
    }
  }
}
