// swift-tools-version: 6.2
import PackageDescription

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")

let package = Package(
  name: "martlet",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "martlet", targets: ["martlet"]),
    .library(name: "Martlet", targets: ["Martlet"]),
    .library(name: "MartletClient", targets: ["MartletClient"]),
    .library(name: "MartletCommands", targets: ["MartletCommands"]),
    .library(name: "MartletTesting", targets: ["MartletTesting"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
  ],
  targets: [
    .target(name: "CHints"),
    .target(name: "CMalloc"),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .yum(["zlib-devel"]), .brew(["zlib"])]),
    .target(name: "MartletValues"),
    .target(name: "MartletTransfer", dependencies: ["CZlib", "MartletValues"]),
    .target(name: "MartletWire", dependencies: ["MartletValues"]),
    .target(
      name: "Martlet",
      dependencies: [
        "CHints", "CMalloc", "MartletValues", "MartletWire", .product(name: "Logging", package: "swift-log"),
        .product(name: "CoreMetrics", package: "swift-metrics"),
      ]),
    .target(
      name: "MartletSQLite",
      dependencies: [
        "Martlet", "MartletValues", .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "GRDBSQLite", package: "GRDB.swift"),
      ]),
    .target(
      name: "MartletServer",
      dependencies: [
        "CHints", "Martlet", "MartletSQLite", nioCore, nioPosix, .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"), .product(name: "NIOHTTP1", package: "swift-nio"), nioSSL,
      ]),
    .target(name: "MartletClient", dependencies: ["MartletValues", "MartletWire", nioCore, nioPosix]),
    .target(name: "BankExample", dependencies: ["Martlet"], path: "Sources/Examples/Bank"),
    .target(name: "NotesExample", dependencies: ["Martlet"], path: "Sources/Examples/Notes"),
    .target(name: "StoreExample", dependencies: ["Martlet"], path: "Sources/Examples/Store", exclude: ["README.md"]),
    .target(name: "ChrondleExample", dependencies: ["Martlet"], path: "Sources/Examples/Chrondle", exclude: ["README.md"]),
    .target(name: "OpinionScopeExample", dependencies: ["Martlet"], path: "Sources/Examples/OpinionScope", exclude: ["README.md"]),
    .target(name: "EngagementExample", dependencies: ["Martlet"], path: "Sources/Examples/Engagement", exclude: ["README.md"]),
    .target(
      name: "MartletCommands",
      dependencies: [
        "Martlet", "MartletClient", "MartletServer", "MartletTransfer",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ]),
    .executableTarget(
      name: "martlet",
      dependencies: [
        "MartletCommands", "BankExample", "NotesExample", "StoreExample", "ChrondleExample", "OpinionScopeExample", "EngagementExample",
      ]),
    .target(
      name: "MartletTesting",
      dependencies: ["Martlet", "MartletClient", "MartletValues", "MartletWire", .product(name: "Logging", package: "swift-log")]),
    .target(name: "TestSupport", path: "Tests/TestSupport"),
    .target(
      name: "SimulatedDisk", dependencies: ["TestSupport", .product(name: "GRDBSQLite", package: "GRDB.swift")], path: "Tests/SimulatedDisk"),
    .target(name: "TestServers", dependencies: ["TestSupport", nioCore, nioPosix, nioSSL], path: "Tests/TestServers"),
    .testTarget(name: "MartletValuesTests", dependencies: ["MartletValues"]),
    .testTarget(name: "MartletWireTests", dependencies: ["MartletTesting", "MartletValues", "MartletWire", "TestSupport"]),
    .testTarget(
      name: "MartletTests",
      dependencies: [
        "CMalloc", "Martlet", "MartletTesting", "MartletValues", "MartletWire", "BankExample", "TestSupport",
        .product(name: "MetricsTestKit", package: "swift-metrics"),
      ]),
    .testTarget(
      name: "MartletSQLiteTests",
      dependencies: ["MartletSQLite", "Martlet", "MartletTesting", "MartletValues", "MartletWire", "SimulatedDisk", "TestSupport"]),
    .testTarget(name: "MartletClientTests", dependencies: ["MartletClient", "MartletValues", "MartletWire", "TestSupport", nioCore, nioPosix]),
    .testTarget(name: "MartletTestingTests", dependencies: ["MartletTesting", "MartletClient", "Martlet", "BankExample", "TestSupport"]),
    .testTarget(
      name: "MartletServerTests",
      dependencies: [
        "MartletServer", "MartletClient", "Martlet", "TestServers", nioCore, nioPosix, .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"), .product(name: "AsyncHTTPClient", package: "async-http-client"),
      ]),
    .testTarget(name: "MartletTransferTests", dependencies: ["MartletTransfer", "MartletValues", "TestSupport"]),
    .testTarget(name: "MartletCommandsTests", dependencies: ["MartletCommands", "MartletValues"]),
    .target(name: "Histories", path: "Tests/Histories"),
    .testTarget(name: "HistoriesTests", dependencies: ["Histories"]),
    .executableTarget(name: "HistoryApp", dependencies: ["MartletCommands"], path: "Tests/HistoryApp"),
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "MartletClient", "MartletTesting", "MartletValues", "BankExample", "StoreExample", "martlet", "Histories", "HistoryApp", "TestSupport",
        "TestServers",
      ]),
    .target(
      name: "ExampleTestSupport",
      dependencies: [
        "Martlet", "MartletClient", "MartletServer", "TestServers", .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ], path: "Tests/ExampleTestSupport"),
    .testTarget(
      name: "ChrondleExampleTests", dependencies: ["ChrondleExample", "ExampleTestSupport", "MartletClient", "MartletTesting", "TestServers"]),
    .testTarget(
      name: "StoreExampleTests", dependencies: ["StoreExample", "MartletClient", "MartletCommands", "MartletTesting", "TestServers", "TestSupport"]),
    .testTarget(
      name: "OpinionScopeExampleTests",
      dependencies: ["OpinionScopeExample", "ExampleTestSupport", "MartletClient", "MartletTesting", "TestServers", "TestSupport"]),
    .testTarget(
      name: "EngagementExampleTests",
      dependencies: ["EngagementExample", "ExampleTestSupport", "MartletClient", "MartletTesting", "TestSupport"]),
    .testTarget(
      name: "DocumentationTests",
      dependencies: [
        "Martlet", "MartletClient", "MartletCommands", "MartletTesting", "MartletWire", "martlet",
        .product(name: "Metrics", package: "swift-metrics"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
