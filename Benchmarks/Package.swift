// swift-tools-version: 6.1
import PackageDescription

// micro-bench measures declarations of `package` access: it is compiled as a part of the package above, whose identity is the
// name of its folder.
let parent = Context.packageDirectory.split(separator: "/").dropLast().last.map { $0.lowercased() } ?? ""
let identity = String(parent.map { $0.isLetter || $0.isNumber ? $0 : "_" })
let nameOfParent: SwiftSetting = .unsafeFlags([
    "-package-name", identity.first?.isNumber == true ? "_" + identity : identity,
])

let package = Package(
    name: "Benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-socketio", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.6.4"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
    ],
    targets: [
        .executableTarget(
            name: "bench-server",
            dependencies: [
                .product(name: "SocketIO", package: "swift-socketio"),
                .product(name: "SocketIORedis", package: "swift-socketio"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .executableTarget(
            name: "client-soak",
            dependencies: [
                .product(name: "SocketIOClient", package: "swift-socketio"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .executableTarget(
            name: "chaos-clients",
            dependencies: [
                .product(name: "SocketIOClient", package: "swift-socketio"),
                .product(name: "SocketIORedis", package: "swift-socketio"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),
        // What SwiftNIO alone costs under the same traffic. Without the library.
        .executableTarget(
            name: "nio-floor",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            // Ten checks to a message, which would not be SwiftNIO's.
            swiftSettings: [.unsafeFlags(["-enforce-exclusivity=unchecked"])]
        ),
        .target(name: "CAllocationCounter"),
        .target(name: "BenchSupport"),
        .executableTarget(
            name: "allocation-check",
            dependencies: [
                "BenchSupport",
                "CAllocationCounter",
                .product(name: "SocketIO", package: "swift-socketio"),
                .product(name: "SocketIORedis", package: "swift-socketio"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .executableTarget(
            name: "micro-bench",
            dependencies: [
                "BenchSupport",
                "CAllocationCounter",
                .product(name: "SocketIO", package: "swift-socketio"),
                .product(name: "SocketIORedis", package: "swift-socketio"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ],
            packageAccess: false,
            swiftSettings: [nameOfParent]
        ),
    ],
    swiftLanguageModes: [.v6]
)

#if os(Linux)
    // They use epoll and /proc.
    let settings: [CSetting] = [.define("_GNU_SOURCE"), .unsafeFlags(["-Wall", "-Wextra"])]
    package.targets += [
        .target(name: "CBenchWire", cSettings: settings),
        .executableTarget(name: "bench-load", dependencies: ["CBenchWire"], cSettings: settings),
        .executableTarget(name: "floor-server", dependencies: ["CBenchWire"], cSettings: settings),
    ]
#endif
