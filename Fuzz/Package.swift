// swift-tools-version: 6.1
import PackageDescription

// libFuzzer brings `main`; what is internal is reached by building with `-enable-testing`, see scripts/fuzz.
let settings: [SwiftSetting] = [.unsafeFlags(["-parse-as-library"])]

let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let server = Target.Dependency.product(name: "SocketIO", package: "swift-socketio")
let redis = Target.Dependency.product(name: "SocketIORedis", package: "swift-socketio")

let package = Package(
    name: "Fuzz",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-socketio", path: ".."),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
    ],
    targets: [
        .target(name: "FuzzSupport", dependencies: [nio, server]),
        .executableTarget(name: "fuzz-websocket", dependencies: ["FuzzSupport", server, nio]),
        .executableTarget(
            name: "fuzz-http",
            dependencies: [
                "FuzzSupport", server, nio,
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]
        ),
        .executableTarget(name: "fuzz-payload", dependencies: ["FuzzSupport", server, nio]),
        .executableTarget(name: "fuzz-payload3", dependencies: ["FuzzSupport", server, nio]),
        .executableTarget(name: "fuzz-packets", dependencies: ["FuzzSupport", server, nio]),
        .executableTarget(name: "fuzz-json", dependencies: ["FuzzSupport", server, nio]),
        .executableTarget(name: "fuzz-messagepack", dependencies: ["FuzzSupport", redis, nio]),
        .executableTarget(name: "fuzz-msgpack", dependencies: ["FuzzSupport", redis, nio]),
        .executableTarget(name: "fuzz-resp", dependencies: ["FuzzSupport", redis, nio]),
        .executableTarget(name: "fuzz-cluster", dependencies: ["FuzzSupport", redis, nio]),
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets { target.swiftSettings = settings }
