// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that building Martlet never builds the benchmarks, and so that the load generator cannot
// borrow Martlet's code: it measures the server from outside, as a client in another language would. Linux only: it
// speaks to epoll, pins threads to cores, and reads `/proc`.
let package = Package(
  name: "martlet-benchmarks",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    .target(name: "CLinux"),
    .executableTarget(
      name: "martlet-bench",
      dependencies: ["CLinux", .product(name: "ArgumentParser", package: "swift-argument-parser")]
    ),
    .testTarget(name: "martlet-benchTests", dependencies: ["martlet-bench"]),
  ],
  swiftLanguageModes: [.v6]
)
