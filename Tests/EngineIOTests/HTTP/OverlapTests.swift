import TestSupport
import Testing

@testable import EngineIO

/// One GET and one POST at a time, what comes too much, and what a client gives up.
struct OverlapTests {
    @Test func secondGetEndsTheSession() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let first = try await server.waitingGet(sid)
            let second = try await server.get(sid)
            #expect(second.status == 400)
            #expect(second.body.isEmpty)
            #expect(try await first.reply().text == "1")
            #expect(try await server.end(sid) == "transport error")
            #expect(server.server.sessionCount == 0)
        }
    }

    @Test func secondPostEndsTheSession() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let first = try await server.http.start("POST", TestServer.path(sid), body: .declared(length: 10))
            try await eventually("the POST to begin") { server.session(sid)?.hasPost == true }
            let second = try await server.post(sid, "4b")
            #expect(second.status == 400)
            #expect(second.body.isEmpty)
            await #expect(throws: ConnectionEnded.self) { try await first.reply() }
            #expect(try await server.end(sid) == "transport error")
            #expect(server.log.value.messages.isEmpty)
        }
    }

    @Test func oneGetAndOnePostAreNormal() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let get = try await server.waitingGet(sid)
            #expect(try await server.post(sid, "4a").text == "ok")
            #expect(try await get.reply().text == "4a")
        }
    }

    @Test(arguments: [false, true]) func abortedGetEndsTheSession(withReset: Bool) async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            try await server.waitingGet(sid).abort(withReset: withReset)
            #expect(try await server.end(sid) == "transport error")
            #expect(server.server.sessionCount == 0)
        }
    }

    @Test(arguments: [false, true]) func abortedPostEndsTheSession(withReset: Bool) async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let post = try await server.http.start("POST", TestServer.path(sid), body: .declared(length: 10))
            try await post.write(Array("4abc".utf8))
            try await eventually("the POST to begin") { server.session(sid)?.hasPost == true }
            await post.abort(withReset: withReset)
            #expect(try await server.end(sid) == "transport error")
            #expect(server.log.value.messages.isEmpty)
        }
    }

    @Test func idleConnectionsMayGo() async throws {
        try await withServer { server in
            let http = server.http
            let sid = try await server.openPolling(http).sid
            await http.close()
            #expect(try await server.post(sid, "4still here").text == "ok")
            #expect(try await server.get(sid).text == "4still here")
        }
    }

    @Test func closingWhileAPostIsReceivedAbortsIt() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let get = try await server.waitingGet(sid)
            let post = try await server.http.start("POST", TestServer.path(sid), body: .declared(length: 1000))
            try await eventually("the POST to begin") { server.session(sid)?.hasPost == true }
            try server.known(sid).close()
            await #expect(throws: ConnectionEnded.self) { try await post.reply() }
            #expect(try await get.reply().text == "1")
            #expect(try await server.end(sid) == "forced close")
        }
    }

    /// A POST whose turn has not come, because a handler on another loop has it, is given up by its client.
    @Test func abortWhileAPostWaitsForItsTurn() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let session = try server.known(sid)
            #expect(session.enterGate())
            let post = try await server.http.start("POST", TestServer.path(sid), body: .text("4a"))
            try await eventually("the POST to wait") { session.gate.withLock { !$0.queue.isEmpty } }
            await post.abort()
            try await eventually("the end of the session") { !session.isOpen }
            session.leaveGate(on: session.loop)
            #expect(try await server.end(sid) == "transport error")
        }
    }

    @Test func postThatWaitsForItsTurnIsAnsweredInTurn() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let session = try server.known(sid)
            #expect(session.enterGate())
            let post = try await server.http.start("POST", TestServer.path(sid), body: .text("4a\u{1E}4b"))
            try await eventually("the POST to wait") { session.gate.withLock { !$0.queue.isEmpty } }
            #expect(server.log.value.messages.isEmpty)
            session.leaveGate(on: session.loop)
            #expect(try await post.reply().text == "ok")
            #expect(server.log.value.messages.map(\.message) == [.text("a"), .text("b")])
        }
    }
}
