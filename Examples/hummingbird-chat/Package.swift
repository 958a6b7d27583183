// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "hummingbird-chat",
    platforms: [.macOS(.v15)],
    dependencies: [
        // In a package of your own: .package(url: "…/swift-socketio.git", from: "…", traits: ["Hummingbird"])
        .package(name: "swift-socketio", path: "../..", traits: ["Hummingbird"]),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.0", traits: []),
        .package(url: "https://github.com/vapor/jwt-kit.git", from: "5.7.0"),
    ],
    targets: [
        .target(
            name: "App",
            dependencies: [
                .product(name: "SocketIOHummingbird", package: "swift-socketio"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "JWTKit", package: "jwt-kit"),
            ]
        ),
        .executableTarget(name: "hummingbird-chat", dependencies: ["App"]),
        .testTarget(
            name: "AppTests",
            dependencies: ["App", .product(name: "SocketIOClient", package: "swift-socketio")]
        ),
    ],
    swiftLanguageModes: [.v6]
)
