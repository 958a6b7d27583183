import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import JWTKit
import NIOCore
import NIOPosix
import SocketIOHummingbird

/// Who has logged in, as it stands in the cookie.
struct User: JWTPayload {
    var sub: SubjectClaim
    var exp: ExpirationClaim

    func verify(using algorithm: some JWTAlgorithm) throws { try self.exp.verifyNotExpired() }
}

enum DataKeys {
    static let name = SocketDataKey<String>("name")
}

/// A chat whose clients log in over HTTP and talk over Socket.IO, on one port.
///
/// - Parameters:
///   - secret: signs the cookies; 32 bytes at the least.
///   - tls: for HTTPS.
public func makeApplication(
    configuration: ApplicationConfiguration, secret: String, tls: TLSConfiguration? = nil,
    onServerRunning: @escaping @Sendable (any Channel) async -> Void = { _ in }
) async throws -> some ApplicationProtocol {
    let keys = await JWTKeyCollection().add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256)
    let io = SocketIOServer(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)

    // Who has no valid cookie is refused.
    io.use { socket in
        guard let token = Cookies(from: socket.handshake.headers["cookie"])["session"]?.value,
            let user = try? await keys.verify(token, as: User.self)
        else { throw ConnectError("log in first") }
        socket.data[DataKeys.name] = user.sub.value
    }
    io.onConnection { socket in
        let name = socket.data[DataKeys.name] ?? ""
        io.emit("joined", name)
        socket.on("chat") { (text: String) in io.emit("chat", name, text) }
        socket.on("who") { name }
    }

    let router = Router()
    router.get("/") { _, _ in "Log in with POST /login/NAME, then talk to /socket.io/" }
    router.post("/login/{name}") { _, context in
        let name = try context.parameters.require("name")
        let user = User(sub: .init(value: name), exp: .init(value: .now.addingTimeInterval(3600)))
        let cookie = Cookie(
            name: "session", value: try await keys.sign(user), path: "/", secure: tls != nil, httpOnly: true)
        return Response(status: .ok, headers: [.setCookie: cookie.description])
    }
    let server = HTTPServerBuilder.socketIO(io)
    return Application(
        router: router,
        server: try tls.map { try .tls(server, tlsConfiguration: $0) } ?? server,
        configuration: configuration,
        onServerRunning: onServerRunning
    )
}
