import EngineIO
import EngineIOCore
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import EngineIOClient

/// Each trouble has a code of its own.
struct FailureTests {
    typealias Transport = EngineClientConfiguration.Transport

    private static func end(
        url: String, _ transport: Transport, _ configure: (inout EngineClientConfiguration) -> Void = { _ in }
    ) async throws -> EngineEnd {
        let client = try TestClient(url: url) {
            $0.transports = [transport]
            configure(&$0)
        }
        client.open()
        let end = try await client.end()
        #expect(client.log.value.events.count == 1)
        #expect(client.violations.isEmpty)
        return end
    }

    @Test(arguments: Transport.allCases) func refused(transport: Transport) async throws {
        // One that nobody is given meanwhile.
        let port = try FreePorts.next()
        let end = try await Self.end(url: "http://127.0.0.1:\(port)", transport)
        #expect(end.reason == "transport error")
        #expect(end.error?.code == .refused)
        #expect(end.error?.message.contains("\(port)") == true)
    }

    @Test func unknownHost() async throws {
        let end = try await Self.end(url: "http://no-such-host.invalid", .polling)
        #expect(end.error?.code == .dnsFailure)
        #expect(end.error?.message.contains("no-such-host.invalid") == true)
    }

    @Test(arguments: Transport.allCases) func silentServer(transport: Transport) async throws {
        try await withScript { server in
            let end = try await Self.end(url: server.url, transport) { $0.connectTimeout = .milliseconds(100) }
            #expect(end.reason == "transport error")
            #expect(end.error?.code == .connectTimeout)
        }
    }

    @Test(arguments: Transport.allCases) func notHTTP(transport: Transport) async throws {
        try await withScript { server in
            async let end = Self.end(url: server.url, transport)
            let connection = try await server.accept()
            _ = try await connection.request()
            try await connection.send(Array("SSH-2.0-OpenSSH_9.2p1\r\n".utf8))
            #expect(try await end.error?.code == .notHTTP)
        }
    }

    @Test(arguments: Transport.allCases) func closedAtOnce(transport: Transport) async throws {
        try await withScript { server in
            async let end = Self.end(url: server.url, transport)
            let connection = try await server.accept()
            _ = try await connection.request()
            connection.close()
            #expect(try await end.error?.code == .connectionLost)
        }
    }

    @Test(arguments: [
        ("200 OK", "<!DOCTYPE html><html>hello</html>", EngineClientError.Code.notSocketIO),
        ("200 OK", "", .notSocketIO),
        ("200 OK", "97:0{\"sid\":\"x\"}2:40", .unsupportedProtocol), ("200 OK", "4early", .notSocketIO),
        ("200 OK", "0{\"sid\":7}", .notSocketIO), ("301 Moved Permanently", "", .redirected),
        ("400 Bad Request", "{\"code\":5,\"message\":\"Unsupported protocol version\"}", .unsupportedProtocol),
        ("401 Unauthorized", "", .unauthorized), ("403 Forbidden", "{\"code\":4,\"message\":\"no\"}", .forbidden),
        ("404 Not Found", "<html>", .notFound), ("502 Bad Gateway", "", .serverUnavailable),
        ("204 No Content", "", .unexpectedStatus),
    ])
    func wrongAnswers(status: String, body: String, code: EngineClientError.Code) async throws {
        try await withScript { server in
            async let end = Self.end(url: server.url, .polling)
            let connection = try await server.accept()
            _ = try await connection.request()
            try await connection.answer(status, body, headers: [("Location", "https://elsewhere/")])
            let error = try await end.error
            #expect(error?.code == code)
            if status.hasPrefix("3") { #expect(error?.message.contains("https://elsewhere/") == true) }
            try await connection.closed()
        }
    }

    @Test func compressedAnswer() async throws {
        try await withScript { server in
            async let end = Self.end(url: server.url, .polling)
            let connection = try await server.accept()
            _ = try await connection.request()
            try await connection.answer("200 OK", "zzz", headers: [("Content-Encoding", "br")])
            #expect(try await end.error?.code == .notHTTP)
        }
    }

    enum Overflow: CaseIterable, Sendable { case declared, undeclared, head, headerCount }

    @Test(arguments: Overflow.allCases) func tooLarge(overflow: Overflow) async throws {
        try await withScript { server in
            async let end = Self.end(url: server.url, .polling) { $0.maxMessageBytes = 40_000 }
            let connection = try await server.accept()
            _ = try await connection.request()
            let code: EngineClientError.Code
            switch overflow {
            case .declared:
                try await connection.send(Array("HTTP/1.1 200 OK\r\nContent-Length: 80001\r\n\r\n".utf8))
                code = .messageTooLarge
            case .undeclared:
                try await connection.send(
                    Array(("HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 80_001)).utf8))
                code = .messageTooLarge
            case .head:
                try await connection.send(
                    Array(("HTTP/1.1 200 OK\r\nA: " + String(repeating: "x", count: 20_000) + "\r\n\r\n").utf8))
                code = .notHTTP
            case .headerCount:
                try await connection.send(
                    Array(("HTTP/1.1 200 OK\r\n" + String(repeating: "A: b\r\n", count: 200) + "\r\n").utf8))
                code = .notHTTP
            }
            #expect(try await end.error?.code == code)
            try await connection.closed()
        }
    }

    /// A client that has a session, and the connection with its waiting GET.
    private static func open(
        _ server: ScriptedServer, _ handshake: String = handshake(upgrades: ""),
        _ configure: (inout EngineClientConfiguration) -> Void = { _ in }
    ) async throws -> (TestClient, ScriptedConnection) {
        let client = try TestClient(url: server.url, configure)
        client.open()
        let get = try await server.accept()
        try await get.openPolling(handshake)
        _ = try await get.request()
        return (client, get)
    }

    @Test(arguments: [("4a\u{1E}x", 1), ("", 0), ("4a\u{1E}\u{1E}4b", 1)]) func malformed(body: String, count: Int)
        async throws
    {
        try await withScript { server in
            let (client, get) = try await Self.open(server)
            try await get.answer("200 OK", body)
            let end = try await client.end()
            #expect(end.reason == "parse error")
            #expect(end.error?.code == .invalidPacket)
            #expect(client.log.value.messages == Array(repeating: .text("a"), count: count))
        }
    }

    @Test func largeMessageInAPayload() async throws {
        try await withScript { server in
            let (client, get) = try await Self.open(server) { $0.maxMessageBytes = 1000 }
            try await get.answer(
                "200 OK", "4" + String(repeating: "x", count: 1000) + "\u{1E}4" + String(repeating: "x", count: 1001))
            let end = try await client.end()
            #expect(end.reason == "transport error")
            #expect(end.error?.code == .messageTooLarge)
            #expect(client.log.value.messages.count == 1)
        }
    }

    @Test func lostInTheMiddleOfAPayload() async throws {
        try await withScript { server in
            let (client, get) = try await Self.open(server)
            try await get.send(Array("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n4a\u{1E}4b".utf8))
            get.close()
            let end = try await client.end()
            #expect(end.reason == "transport error")
            #expect(end.error?.code == .connectionLost)
            #expect(client.log.value.messages.isEmpty)
        }
    }

    @Test func sessionUnknown() async throws {
        try await withScript { server in
            let (client, get) = try await Self.open(server)
            try await get.answer("400 Bad Request", "{\"code\":1,\"message\":\"Session ID unknown\"}")
            let end = try await client.end()
            #expect(end.reason == "transport error")
            #expect(end.error?.code == .sessionUnknown)
            #expect(end.error?.message.contains("sticky") == true)
        }
    }

    /// Polling: our own server answers 413, and the message of the error says what to do.
    @Test(arguments: Transport.allCases) func payloadTooLarge(transport: Transport) async throws {
        try await withServer {
            $0.maxPayload = 1000
        } _: { server in
            let client = try TestClient(url: server.url) { $0.transports = [transport] }
            try await client.opened()
            try await client.send(String(repeating: "x", count: 2000))
            let end = try await client.end()
            #expect(end.reason == "transport error")
            #expect(end.error?.code == .payloadTooLarge)
        }
    }

    @Test func postWithoutAnswer() async throws {
        try await withScript { server in
            let (client, _) = try await Self.open(server) { $0.requestTimeout = .milliseconds(50) }
            try await client.send("a")
            let post = try await server.accept()
            _ = try await post.request()
            let end = try await client.end()
            #expect(end.reason == "transport error")
            #expect(end.error?.code == .requestTimeout)
        }
    }

    /// By default a POST may take as long as it needs: a slow network is not a dead one, and of that the pings tell.
    @Test func postThatTakesItsTime() async throws {
        try await withScript { server in
            let (client, get) = try await Self.open(server)
            try await client.send("a")
            let post = try await server.accept()
            _ = try await post.request()
            try await eventually("it is written") { try await client.run { $0.postLink?.isWritten == true } }
            #expect(try await client.run { $0.timers.request == nil })
            for _ in 0..<3 {
                try await get.answer("200 OK", "2\u{1E}4b")
                _ = try await get.request()
            }
            #expect(try await client.messages(3) == [.text("b"), .text("b"), .text("b")])
            try await post.answer("200 OK", "ok")
            #expect(try await post.request().body == "3")
            try await client.cut()
        }
    }

    /// Half open: nothing comes any more, and nobody says so.
    @Test(arguments: Transport.allCases) func pingTimeout(transport: Transport) async throws {
        try await withScript { server in
            let client = try TestClient(url: server.url) { $0.transports = [transport] }
            client.open()
            let connection = try await server.accept()
            let times = handshake(upgrades: "", pingInterval: 40, pingTimeout: 30)
            if transport == .polling {
                try await connection.openPolling(times)
            } else {
                try await connection.acceptWebSocket(ScriptedConnection.frame("0" + times))
            }
            let end = try await client.end()
            #expect(end.reason == "ping timeout")
            #expect(end.error?.code == .pingTimeout)
            #expect(end.error?.message.contains("never") == true)
            try await connection.closed()
        }
    }

    /// Each ping is answered and grants the whole time again.
    @Test func pingsMoveTheDeadline() async throws {
        try await withScript { server in
            let client = try TestClient(url: server.url) { $0.transports = [.websocket] }
            client.open()
            let connection = try await server.accept()
            try await connection.acceptWebSocket(ScriptedConnection.frame("0" + handshake(upgrades: "")))
            try await client.opened()
            var deadline = try await client.run { $0.liveness?.deadline ?? 0 }
            for _ in 0..<5 {
                try await connection.sendFrame("2")
                #expect(try await connection.frame().text == "3")
                let next = try await client.run { $0.liveness?.deadline ?? 0 }
                #expect(next > deadline)
                deadline = next
            }
            try await client.cut()
        }
    }

    /// Who was pinged and hears nothing more is told that it was pinged.
    @Test func pingTimeoutAfterAPing() async throws {
        try await withScript { server in
            let client = try TestClient(url: server.url) { $0.transports = [.websocket] }
            client.open()
            let connection = try await server.accept()
            let times = handshake(upgrades: "", pingInterval: 500, pingTimeout: 300)
            try await connection.acceptWebSocket(
                ScriptedConnection.frame("0" + times) + ScriptedConnection.frame("2"))
            let end = try await client.end()
            #expect(end.reason == "ping timeout")
            #expect(end.error?.message.contains("never") == false)
        }
    }

    // MARK: Another network

    @Test(arguments: Transport.allCases) func networkChanged(transport: Transport) async throws {
        try await withServer { server in
            let client = try TestClient(url: server.url) {
                $0.transports = [transport]
                $0.probeTimeout = .seconds(20)
            }
            try await client.opened()
            // In one turn: the sign of life may come in the next.
            let before = try await client.run { connection in
                connection.networkChanged()
                return connection.liveness?.deadline ?? 0
            }
            // The sign of life takes the short deadline away.
            try await eventually("the sign of life") { try await client.run { $0.liveness?.deadline ?? 0 } > before }
            try await client.send("a")
            #expect(try await client.messages(1) == [.text("a")])
            _ = try await client.close()
        }
    }

    @Test(arguments: Transport.allCases) func networkGone(transport: Transport) async throws {
        try await withScript { server in
            let client = try TestClient(url: server.url) {
                $0.transports = [transport]
                $0.probeTimeout = .milliseconds(50)
            }
            client.open()
            let connection = try await server.accept()
            if transport == .polling {
                try await connection.openPolling()
            } else {
                try await connection.acceptWebSocket(ScriptedConnection.frame("0" + handshake()))
            }
            try await client.opened()
            try await client.run { $0.networkChanged() }
            let end = try await client.end()
            #expect(end.error?.code == .pingTimeout)
        }
    }

    // MARK: Configuration

    @Test func configuration() async throws {
        let headers = try await Self.end(url: "http://127.0.0.1:1", .polling) { $0.extraHeaders = [("A\n", "b")] }
        #expect(headers.error?.code == .invalidConfiguration)
        let transports = try await Self.end(url: "http://127.0.0.1:1", .polling) { $0.transports = [] }
        #expect(transports.error?.code == .invalidConfiguration)
    }

    @Test func nextTransport() async throws {
        try await withServer {
            $0.transports = [.polling]
        } _: { server in
            let refused = try await Self.end(url: server.url, .websocket)
            #expect(refused.error?.code == .transportUnknown)
            let client = try TestClient(url: server.url) {
                $0.transports = [.websocket, .polling]
                $0.tryAllTransports = true
            }
            try await client.opened()
            #expect(try await client.run { $0.transport } == .polling)
            #expect(try await client.run { $0.didUpgrade } == false)
            try await client.send("a")
            #expect(try await client.messages(1) == [.text("a")])
            _ = try await client.close()
        }
        try await withServer {
            $0.transports = [.websocket]
        } _: { server in
            let client = try TestClient(url: server.url) { $0.tryAllTransports = true }
            try await client.opened()
            #expect(try await client.run { $0.transport } == .websocket)
            _ = try await client.close()
            #expect(client.violations.isEmpty)
        }
    }

    @Test func noTransportWorks() async throws {
        try await withScript { server in
            let client = try TestClient(url: server.url) { $0.tryAllTransports = true }
            client.open()
            let first = try await server.accept()
            _ = try await first.request()
            try await first.answer("404 Not Found", "")
            let second = try await server.accept()
            #expect(try await second.request().query.transport == "websocket")
            try await second.answer("403 Forbidden", "")
            #expect(try await client.end().error?.code == .forbidden)
            #expect(client.violations.isEmpty)
        }
    }
}
