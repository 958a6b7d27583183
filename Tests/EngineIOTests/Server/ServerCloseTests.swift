import NIOCore
import TestSupport
import Testing

@testable import EngineIO

struct ServerCloseTests {
    @Test func everyClientIsTold() async throws {
        try await withServer { server in
            let polling = try await server.client()
            let webSocket = try await server.client(.websocket)
            let upgraded = try await server.client()
            try await upgraded.upgrade()
            try await eventually("the GET to wait") { server.session(polling.sid)?.hasPoll == true }
            await server.server.close(timeout: .seconds(60))
            for client in [polling, webSocket, upgraded] {
                #expect(try await client.waitForClose().reason == "transport close")
            }
            #expect(server.log.value.ends.map(\.reason) == ["forced close", "forced close", "forced close"])
            #expect(server.server.sessionCount == 0)
        }
    }

    @Test func whatIsBufferedIsDelivered() async throws {
        try await withServer { server in
            let polling = try await server.client()
            let webSocket = try await server.client(.websocket)
            for session in server.log.value.sessions {
                for index in 0..<100 { session.send(text: "\(index)") }
            }
            await server.server.close(timeout: .seconds(60))
            for client in [polling, webSocket] {
                for index in 0..<100 { #expect(try await client.nextText() == "\(index)") }
                try await client.waitForClose()
            }
            #expect(server.server.sessionCount == 0)
        }
    }

    @Test func inTheMiddleOfAnUpgrade() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let webSocket = try await server.probe(sid)
            try await webSocket.send("2probe")
            try await webSocket.expectText("3probe")
            await server.server.close(timeout: .milliseconds(100))
            try await webSocket.connection.waitForClose()
            #expect(try await server.end(sid) == "forced close")
            #expect(server.server.sessionCount == 0)
        }
    }

    @Test func clientsThatDoNotComeBackAreCut() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let silent = try await server.openWebSocket()
            await server.server.close(timeout: .milliseconds(100))
            try await silent.connection.waitForClose()
            #expect(try await server.end(sid) == "forced close")
            #expect(server.server.sessionCount == 0)
            #expect(server.log.value.ends.count == 2)
        }
    }

    @Test func newSessionsAreRefusedMeanwhile() async throws {
        try await withServer { server in
            let http = server.http
            let sid = try await server.openPolling(http).sid
            await server.server.stopListening()
            let refused = try await http.request("GET", TestServer.path())
            #expect(refused.status == 503)
            #expect(server.server.sessionCount == 1)
            try server.known(sid).close()
        }
    }

    @Test func closedServerStaysClosed() async throws {
        try await withServer { server in
            await server.server.close()
            await server.server.close()
            await #expect(throws: (any Error).self) { try await server.server.start(port: 0) }
        }
    }

    @Test func anotherServerTakesThePort() async throws {
        try await withServer { server in
            let client = try await server.client(.websocket)
            await server.server.close()
            try await client.waitForClose()
            let next = try EngineIOServer(configuration: .init()) { _, _ in SilentHandler() }
            // Another test's server may have been given it for a moment.
            let port = server.port
            try await eventually("the port to be free") { (try? await next.start(port: port)) != nil }
            let again = try await server.client(.websocket)
            #expect(next.sessionCount == 1)
            await again.close()
            await next.close(timeout: .milliseconds(20))
        }
    }

    /// Nothing that belonged to sessions is left: they are gone when nobody holds them.
    @Test func sessionsAreReleased() async throws {
        final class Held: Sendable {}
        weak var held: Held?
        weak var dead: EngineIOSession?
        try await withServer { server in
            let client = try await server.client()
            try await client.upgrade()
            do {
                let object = Held()
                let session = try server.known(client.sid)
                held = object
                dead = session
                session.enqueue { _ in _ = object }
            }
            await client.close()
            _ = try await server.end(client.sid)
            server.log.update { $0.sessions = [] }
            try await eventually("the session to be released") { dead == nil && held == nil }
        }
    }
}

final class SilentHandler: EngineIOSessionHandler {
    func session(_ session: EngineIOSession, receivedText text: ByteBuffer, on loop: LoopContext) {}
    func session(_ session: EngineIOSession, receivedBinary data: ByteBuffer, on loop: LoopContext) {}
    func sessionClosed(_ session: EngineIOSession, reason: EngineIOCloseReason, on loop: LoopContext) {}
}
