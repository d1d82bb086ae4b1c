import Martlet
import MartletClient
import MartletTesting
import Synchronization
import Testing

// docs/from-convex.md, Tests.

@Suite("Weather")
struct WeatherTests {
  @Test("Stations come from the service, although it fails twice, and what is old is removed at night")
  func aDay() async throws {
    let listing = #"{"stations":[{"code":"A1"},{"code":"B2","title":"Harbour"}]}"#
    let failures = Mutex(2)
    let server = try MartletTestServer(
      schema: [Stations.self, Readings.self, SyncLogs.self, Imports.self, Inbox.self, Subscribers.self],
      functions: [Weather.self, Reports.self, Later.self, Syncing.self],
      crons: [Cron("sync", .hourly(minute: 15), Syncing.start()), Cron("old readings", .daily(hour: 3), Weather.removeOld())],
      workpools: [Syncing.pool], environment: ["WEATHER_API_KEY": "secret"],
      fetch: { request in
        let fails = failures.withLock { left in
          defer { left -= 1 }
          return left > 0
        }
        return .response(fails ? Response(status: 503) : Response(status: 200, body: Array(listing.utf8)))
      })
    let client = try await server.client()
    await server.advance(by: .seconds(3_600))
    #expect(try await client.run(Weather.active(10)).map(\.code) == ["B2", "A1"])
    let station = try await client.run(Weather.active(1))[0].id
    try await client.run(Weather.measure(station, 2.5))
    await server.advance(by: .seconds(91 * 86_400))
    #expect(try await client.run(Reports.totals(station, 1_000))["count"] == 0)
  }
}
