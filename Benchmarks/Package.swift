// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "Benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-socketio", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.6.0"),
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
        // What SwiftNIO alone costs under the same traffic. Without the library.
        .executableTarget(
            name: "nio-floor",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .target(name: "CAllocationCounter"),
        .executableTarget(
            name: "allocation-check",
            dependencies: [
                "CAllocationCounter",
                .product(name: "SocketIO", package: "swift-socketio"),
                .product(name: "SocketIORedis", package: "swift-socketio"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)
