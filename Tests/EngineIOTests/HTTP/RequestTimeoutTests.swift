import TestSupport
import Testing

@testable import EngineIO

extension OneByOne {
    /// Clients that take their time.
    struct RequestTimeoutTests {
        /// Opens a session on a machine that may be slower than the limit.
        private func openInTime(_ server: TestServer) async throws -> String {
            let sid = Awaited<String?>(nil)
            try await eventually("a session in time") {
                guard let handshake = try? await server.openPolling() else { return false }
                sid.update { $0 = handshake.sid }
                return true
            }
            return try #require(sid.value)
        }

        /// A GET that waits, on such a machine.
        private func waitingGetInTime(_ server: TestServer, _ sid: String) async throws -> PendingReply {
            let waiting = Awaited<PendingReply?>(nil)
            try await eventually("a GET in time") {
                guard let get = try? await server.http.start("GET", TestServer.path(sid)) else { return false }
                try await eventually("the GET to wait or to be cut") {
                    server.session(sid)?.hasPoll ?? true || get.connection.end != nil
                }
                guard server.session(sid)?.hasPoll == true else { return false }
                waiting.update { $0 = get }
                return true
            }
            return try #require(waiting.value)
        }

        @Test func slowHeadIsCut() async throws {
            try await withServer {
                $0.requestTimeout = .milliseconds(500)
            } _: { server in
                let connection = try await RawConnection.connect(port: server.port)
                // Without waiting: on a slow machine the connection may be closed before that.
                connection.enqueue(Array("GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: ".utf8))
                try await connection.waitForClose()
                #expect(server.server.sessionCount == 0)
            }
        }

        @Test func slowBodyIsCut() async throws {
            try await withServer {
                $0.requestTimeout = .milliseconds(500)
            } _: { server in
                let sid = try await self.openInTime(server)
                try await eventually("a body to be cut") {
                    // The head may be late as well: then it was no body that was cut.
                    let post = try? await server.http.start(
                        "POST", TestServer.path(sid), body: .declared(length: 10))
                    guard let post else { return false }
                    try? await post.write([0x34])
                    await #expect(throws: ConnectionEnded.self) { try await post.reply() }
                    return server.log.value.ends.contains { $0.id == sid }
                }
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
                let sid = try await self.openInTime(server)
                let get = try await self.waitingGetInTime(server, sid)
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
                // Where the request itself was late there is no answer.
                try await eventually("an answer") {
                    guard let reply = try? await server.http.request("GET", TestServer.path()) else { return false }
                    #expect(reply.status == 503)
                    return true
                }
                #expect(server.log.value.sessions.isEmpty)
            }
        }
    }
}
