import TestSupport
import Testing

@testable import EngineIO

extension OneByOne {
    /// Clients that take their time.
    struct RequestTimeoutTests {
        @Test func slowHeadIsCut() async throws {
            try await withServer {
                $0.requestTimeout = .milliseconds(500)
            } _: { server in
                let connection = try await RawConnection.connect(port: server.port)
                try await connection.send("GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: ")
                try await connection.waitForClose()
                #expect(server.server.sessionCount == 0)
            }
        }

        @Test func slowBodyIsCut() async throws {
            try await withServer {
                $0.requestTimeout = .milliseconds(500)
            } _: { server in
                let sid = try await server.openPolling().sid
                let post = try await server.http.start("POST", TestServer.path(sid), body: .declared(length: 10))
                try await post.write([0x34])
                await #expect(throws: ConnectionEnded.self) { try await post.reply() }
                #expect(try await server.end(sid) == "transport error")
            }
        }

        @Test func silentConnectionIsCut() async throws {
            try await withServer {
                $0.requestTimeout = .milliseconds(500)
            } _: { server in
                let connection = try await RawConnection.connect(port: server.port)
                try await connection.waitForClose()
            }
        }

        @Test func waitingGetOutlastsTheTimeoutOfRequests() async throws {
            try await withServer {
                $0.requestTimeout = .milliseconds(500)
            } _: { server in
                let sid = try await server.openPolling().sid
                let get = try await server.waitingGet(sid)
                // Others that are cut show that the time has passed, more than once.
                for _ in 0..<2 { try await RawConnection.connect(port: server.port).waitForClose() }
                try server.known(sid).send(text: "late")
                #expect(try await get.reply().text == "4late")
            }
        }

        @Test func decisionThatDoesNotComeIsARefusal() async throws {
            try await withServer {
                $0.requestTimeout = .seconds(1)
                $0.allowRequest = { _ in
                    _ = try? await Task.sleep(for: .seconds(60))
                    return .allow
                }
            } _: { server in
                let reply = try await server.http.request("GET", TestServer.path())
                #expect(reply.status == 503)
                #expect(server.log.value.sessions.isEmpty)
            }
        }
    }
}
