import Martlet
import MartletClient
import MartletTesting
import Testing

// docs/functions.md, Testing: what an app's own tests look like.

@Suite("Reminders")
struct ReminderTests {
  @Test("A reminder is sent when its time has come, and swept at night")
  func sentAndSwept() async throws {
    let server = try MartletTestServer(
      schema: [Reminders.self], functions: [Reminding.self],
      crons: [Cron("sweep", .daily(hour: 3), Reminding.sweep())], workpools: [Reminding.mailing])
    let client = try await server.client()
    let tea = try await client.run(Reminding.remind("tea", 3_600))
    var sent = client.subscribe(Reminding.isSent(tea)).makeAsyncIterator()
    #expect(try await sent.next() == false)
    await server.advance(by: .seconds(3_600))
    #expect(try await sent.next() == true)
    await server.advance(by: .seconds(86_400))
    #expect(try await client.run(Reminding.count()) == 0)
  }
}
