import NIOCore
import TestSupport
import Testing

@testable import EngineIO

/// Requests that are made to hurt: what they cost is bounded, and others do not notice.
@Suite struct HostileRequestTests {
    /// What follows a request for another protocol may not be HTTP, and is not read as such.
    @Test(arguments: ["GET /nope HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c", "CONNECT host:1 HTTP/1.1"])
    func connectionsAreClosedBehindARequestForAnotherProtocol(head: String) async throws {
        try await withServer { server in
            let connection = try await RawConnection.connect(port: server.port)
            try await connection.send("\(head)\r\nHost: x\r\n\r\n")
            let reply = String(decoding: try await connection.readUntilClose(), as: UTF8.self)
            #expect(reply.lowercased().contains("connection: close"))
        }
    }

    /// A first frame in the segment of the handshake is read without the completion that ends other reads.
    @Test func frameInTheSegmentOfTheHandshakeHoldsNobodyUp() async throws {
        try await withServer {
            $0.eventLoopCount = 1
        } _: { server in
            let victim = try await server.client(.websocket)
            let session = try server.known(victim.sid)
            let connection = try await RawConnection.connect(port: server.port)
            let handshake = """
                GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\
                Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n
                """
            try await connection.send(
                Array(handshake.utf8) + RawFrame(opcode: 1, payload: Array("4hello".utf8)).encoded())
            try await eventually("the frame to be read") {
                server.log.value.messages.contains { $0.message == .text("hello") }
            }
            session.loop.eventLoop.execute { session.send(text: "from a timer of the loop") }
            #expect(try await victim.nextText() == "from a timer of the loop")
        }
    }

    @Test func secondProbeEndsTheUpgrade() async throws {
        try await withServer { server in
            let client = try await server.client()
            let webSocket = try await server.probe(client.sid)
            try await webSocket.send("2probe")
            try await webSocket.expectText("3probe")
            try await webSocket.send("2probe")
            try await webSocket.expectClose()
            try client.send("still here")
            #expect(try await client.nextText() == "still here")
        }
    }

    @Test func connectionThatOpensManySessionsIsClosed() async throws {
        try await withServer { server in
            let http = server.http
            var closing = 0
            for index in 1...16 {
                let reply = try await http.request("GET", TestServer.path())
                #expect(reply.status == 200)
                if reply.headers["connection"]?.lowercased() == "close" { closing = index }
            }
            #expect(closing == 16)
        }
    }

    @Test func sessionsAreLimited() async throws {
        try await withServer {
            $0.maxSessions = 2
        } _: { server in
            for _ in 0..<2 { _ = try await server.openPolling() }
            #expect(try await server.http.request("GET", TestServer.path()).status == 503)
            let refused = await #expect(throws: WSRefused.self) { try await server.webSocket() }
            #expect(refused?.status == 503)
        }
    }

    /// A hook that copies what a client has sent into a header must not let it write headers of its own.
    @Test func headersWithLineBreaksAreNotSent() async throws {
        try await withServer {
            $0.fallback = { request in
                EngineIOResponse(status: .found, headers: ["location": request.query["to"] ?? ""])
            }
        } _: { server in
            let connection = try await RawConnection.connect(port: server.port)
            try await connection.send("GET /?to=a%0d%0aset-cookie:%20evil=1 HTTP/1.1\r\nHost: x\r\n\r\n")
            let reply = String(decoding: try await connection.readUntilClose(), as: UTF8.self)
            #expect(!reply.contains("evil"))
        }
    }

    /// Who asks on and on without reading the answers is cut off.
    @Test func answersThatNobodyReadsAreBounded() async throws {
        try await withServer { server in
            let connection = try await RawConnection.connect(port: server.port, receiveBuffer: 4096)
            try await connection.pauseReading()
            let request = Array(repeating: Array("GET /nope HTTP/1.1\r\nHost: x\r\n\r\n".utf8), count: 2000).flatMap {
                $0
            }
            await #expect(throws: (any Error).self) {
                for _ in 0..<1000 { try await connection.send(request) }
            }
        }
    }
}
