// swift-tools-version: 6.2
import PackageDescription

// Continuous integration builds without warnings; users' builds must not fail because of a newer compiler's.
let settings: [SwiftSetting] =
    Context.environment["SWIFT_SOCKETIO_WARNINGS_AS_ERRORS"] == "1" ? [.treatAllWarnings(as: .error)] : []

let hummingbird = TargetDependencyCondition.when(traits: ["Hummingbird"])

let package = Package(
    name: "swift-socketio",
    platforms: [.macOS(.v15), .iOS(.v18), .tvOS(.v18), .watchOS(.v11), .visionOS(.v2)],
    products: [
        .library(name: "SocketIO", targets: ["SocketIO"]),
        .library(name: "EngineIO", targets: ["EngineIO"]),
        .library(name: "SocketIOClient", targets: ["SocketIOClient"]),
        .library(name: "SocketIORedis", targets: ["SocketIORedis"]),
        .library(name: "SocketIOTesting", targets: ["SocketIOTesting"]),
        // With the trait `Hummingbird`; empty without it.
        .library(name: "SocketIOHummingbird", targets: ["SocketIOHummingbird"]),
        // For what a server and its clients share: event keys.
        .library(name: "SocketIOCore", targets: ["SocketIOCore"]),
        .executable(name: "socketio", targets: ["socketio"]),
    ],
    traits: [
        .trait(name: "Hummingbird", description: "SocketIOHummingbird: one port for Hummingbird and Socket.IO.")
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.2"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.6.4"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.5.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing.git", from: "1.7.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.10.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.6.0"),
        // The histograms of socketio bench; no library of this package has it.
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", .upToNextMinor(from: "0.2.0")),
        // Neither fetched nor built without the trait.
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.0", traits: []),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.34.1"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
    ],
    targets: [
        // Pure: packets, codecs, state machines. No sockets, no server.
        .target(
            name: "EngineIOCore",
            dependencies: [.product(name: "NIOCore", package: "swift-nio")]
        ),
        .target(
            name: "SocketIOCore",
            dependencies: [.product(name: "NIOCore", package: "swift-nio")]
        ),
        // The transport server: sessions over long-polling and WebSocket.
        .target(
            name: "EngineIO",
            dependencies: [
                "EngineIOCore",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
            ]
        ),
        // The server: namespaces, rooms, sockets, acknowledgements, adapters.
        .target(
            name: "SocketIO",
            dependencies: [
                "EngineIO",
                "EngineIOCore",
                "MessagePack",
                "SocketIOCore",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ]
        ),
        // MessagePack in the dialects of the Socket.IO world. Pure.
        .target(
            name: "MessagePack",
            dependencies: ["SocketIOCore", .product(name: "NIOCore", package: "swift-nio")]
        ),
        // A small Redis client: knows RESP and nothing of Socket.IO.
        .target(
            name: "RESP",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        // Clusters over Redis: the adapters and the emitter.
        .target(
            name: "SocketIORedis",
            dependencies: [
                "SocketIO",
                "SocketIOCore",
                "EngineIOCore",
                "MessagePack",
                "RESP",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        // The transports of the client: long-polling and WebSocket.
        .target(
            name: "EngineIOClient",
            dependencies: [
                "EngineIOCore",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        // The client: namespaces over one connection, reconnection, buffers, acknowledgements.
        .target(
            name: "SocketIOClient",
            dependencies: [
                "EngineIOClient",
                "EngineIOCore",
                "MessagePack",
                "SocketIOCore",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        // For users' own tests: the suite that any adapter must pass.
        .target(
            name: "SocketIOTesting",
            dependencies: [
                "SocketIO",
                "SocketIOCore",
                "EngineIOCore",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),
        // One port for Hummingbird and Socket.IO.
        .target(
            name: "SocketIOHummingbird",
            dependencies: [
                "SocketIO",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Hummingbird", package: "hummingbird", condition: hummingbird),
                .product(name: "HummingbirdCore", package: "hummingbird", condition: hummingbird),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras", condition: hummingbird),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras", condition: hummingbird),
                .product(name: "HTTPTypes", package: "swift-http-types", condition: hummingbird),
            ]
        ),
        .executableTarget(
            name: "socketio",
            dependencies: [
                "SocketIO",
                "SocketIOClient",
                "SocketIORedis",
                "EngineIOClient",
                "EngineIOCore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            resources: [.embedInCode("Resources/chat.html")]
        ),
        // Raw HTTP, WebSocket and Socket.IO peers that share no code with the server.
        .target(
            name: "TestSupport",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Tests/TestSupport"
        ),
        .testTarget(
            name: "EngineIOCoreTests",
            dependencies: [
                "EngineIOCore",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            resources: [.copy("Vectors")]
        ),
        .testTarget(
            name: "SocketIOCoreTests",
            dependencies: ["SocketIOCore", .product(name: "NIOCore", package: "swift-nio")],
            resources: [.copy("Vectors")]
        ),
        .testTarget(
            name: "EngineIOTests",
            dependencies: [
                "EngineIO", "EngineIOCore", "TestSupport",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["CONFORMANCE.md"],
            resources: [.copy("Vectors")]
        ),
        .testTarget(
            name: "SocketIOTests",
            dependencies: [
                "SocketIO", "SocketIOTesting", "MessagePack", "TestSupport",
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ],
            exclude: ["CONFORMANCE.md"],
            resources: [.copy("Vectors")]
        ),
        .testTarget(
            name: "MessagePackTests",
            dependencies: ["MessagePack", "SocketIOCore", .product(name: "NIOCore", package: "swift-nio")],
            resources: [.copy("Vectors")]
        ),
        .testTarget(
            name: "RESPTests",
            dependencies: [
                "RESP", "TestSupport",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .testTarget(
            name: "SocketIORedisTests",
            dependencies: [
                "SocketIORedis", "SocketIOClient", "SocketIOTesting", "TestSupport", "RESP", "MessagePack",
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            resources: [.copy("Vectors")]
        ),
        .testTarget(
            name: "EngineIOClientTests",
            dependencies: [
                "EngineIOClient", "EngineIO", "EngineIOCore", "TestSupport",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]
        ),
        .testTarget(
            name: "SocketIOClientTests",
            dependencies: ["SocketIOClient", "SocketIO", "TestSupport"],
            resources: [.copy("Vectors")]
        ),
        .testTarget(
            name: "InteropTests",
            dependencies: [
                "SocketIO", "SocketIOClient", "TestSupport", "socketio",
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            exclude: ["Clients"]
        ),
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets { target.swiftSettings = settings }
