import Foundation
import SocketIO
import TestSupport
import Testing

@Suite struct HandshakeTests {
    struct Login: Codable, Equatable, Sendable {
        var user: String
        var roles: [String]
        var since: Date?
    }

    @Test(arguments: bothTransports) func ofTheRequest(_ transport: EIOOptions.Transport) async throws {
        let before = Date()
        try await withServer { io, port in
            _ = io.of("/chat")
            var options = EIOOptions(port: port, transport: transport)
            options.query = "token=a%20b&x=1&x=2"
            options.headers = [("X-Custom", "yes"), ("Origin", "http://127.0.0.1:\(port)")]
            let client = try await SIOClient.open(options)
            try await client.connect(
                auth: "{\"user\":\"alice\",\"roles\":[\"admin\"],\"since\":\"2020-01-01T00:00:00.000Z\"}")
            try await client.connect("/chat", auth: "{\"only\":\"chat\"}")
            let socket = try await onlySocket(io.main)
            let handshake = socket.handshake
            #expect(handshake.query["token"] == "a b")
            #expect(handshake.query["x"] == "2")
            #expect(handshake.query["EIO"] == "4")
            #expect(handshake.query["transport"] == transport.rawValue)
            #expect(handshake.headers.first(name: "x-custom") == "yes")
            #expect(handshake.address == "127.0.0.1")
            #expect(handshake.url.hasPrefix("/socket.io/?token=a%20b&x=1&x=2&EIO=4"))
            #expect(!handshake.secure)
            #expect(handshake.xdomain)
            #expect(handshake.time >= before && handshake.time <= Date())
            #expect(handshake.issued == Int(handshake.time.timeIntervalSince1970 * 1000))
            let login: Login = try handshake.auth()
            #expect(login.user == "alice" && login.roles == ["admin"])
            #expect(login.since == Date(timeIntervalSince1970: 1_577_836_800))
            #expect(socket.transport.rawValue == transport.rawValue)

            // Another namespace has the same request, and an auth of its own.
            let chat = try await onlySocket(io.of("/chat"))
            #expect(chat.handshake.query == handshake.query)
            #expect(chat.handshake.auth == ["only": "chat"])
            #expect(throws: SocketIOError.self) { try chat.handshake.auth(as: Login.self) }
            #expect(chat.connection === socket.connection)
            #expect(chat.connection.session.id == client.session.sid)
        }
    }

    @Test func withoutAnything() async throws {
        try await withServer { io, port in
            _ = try await join(port)
            let socket = try await onlySocket(io.main)
            #expect(socket.handshake.auth.isNull)
            #expect(!socket.handshake.xdomain)
            #expect(try socket.handshake.auth(as: Login?.self) == nil)
        }
    }

    /// 15 random bytes in 20 characters, never the id of the session, and the socket is in the room of that name.
    @Test func ids() async throws {
        try await withServer { io, port in
            var seen: Set<String> = []
            for _ in 0..<20 {
                let client = try await join(port)
                let id = try client.id()
                #expect(id.wholeMatch(of: /[A-Za-z0-9_-]{20}/) != nil)
                #expect(id != client.session.sid)
                #expect(io.main.socket(id: id)?.rooms == [Room(id)])
                seen.insert(id)
                await client.close()
            }
            #expect(seen.count == 20)
        }
    }

    /// Of a chain of proxies only the trusted ones are believed.
    @Test(arguments: [([], "127.0.0.1"), (["127.0.0.0/8"], "203.0.113.7")]) func trustedProxies(
        proxies: [String], address: String
    ) async throws {
        try await withServer {
            $0.engine.trustedProxies = proxies
        } _: { io, port in
            var options = EIOOptions(port: port, transport: .websocket)
            options.headers = [("X-Forwarded-For", "198.51.100.1, 203.0.113.7")]
            let client = try await SIOClient.open(options)
            try await client.connect()
            #expect(try await onlySocket(io.main).handshake.address == address)
        }
    }
}
