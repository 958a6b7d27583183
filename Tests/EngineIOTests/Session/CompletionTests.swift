import NIOCore
import TestSupport
import Testing

@testable import EngineIO

/// What becomes of a message is told to who sent it, once.
struct CompletionTests {
    private let outcomes = Awaited([String]())

    private func send(_ text: String, by session: EngineIOSession) {
        session.send(text: text) { [outcomes] isSent in outcomes.update { $0.append("\(text) \(isSent)") } }
    }

    private func expect(_ expected: [String]) async throws {
        try await self.outcomes.wait("\(expected.count) outcomes") { $0.count >= expected.count ? true : nil }
        #expect(self.outcomes.value == expected)
    }

    @Test func byPolling() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let session = try server.known(sid)
            for text in ["a", "b", "c"] { self.send(text, by: session) }
            #expect(self.outcomes.value == [])
            #expect(try await server.get(sid).text == "4a\u{1E}4b\u{1E}4c")
            try await self.expect(["a true", "b true", "c true"])
        }
    }

    @Test func byWebSocket() async throws {
        try await withServer { server in
            let webSocket = try await server.openWebSocket()
            let session = try #require(server.log.value.sessions.first)
            for text in ["a", "b", "c", "d"] { self.send(text, by: session) }
            for text in ["4a", "4b", "4c", "4d"] { try await webSocket.expectText(text) }
            try await self.expect(["a true", "b true", "c true", "d true"])
            try await webSocket.close()
        }
    }

    @Test func duringAnUpgrade() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let webSocket = try await server.probe(sid)
            try await webSocket.send("2probe")
            try await webSocket.expectText("3probe")
            self.send("a", by: try server.known(sid))
            #expect(self.outcomes.value == [])
            try await webSocket.send("5")
            try await webSocket.expectText("4a")
            try await self.expect(["a true"])
        }
    }

    @Test func whatIsDiscardedIsToldToo() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let session = try server.known(sid)
            self.send("a", by: session)
            self.send("b", by: session)
            #expect(try await server.post(sid, "1").text == "ok")
            try await self.expect(["a false", "b false"])
            self.send("c", by: session)
            try await self.expect(["a false", "b false", "c false"])
            #expect(session.bufferedBytes == 0)
        }
    }

    @Test func bufferedBytesFollow() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let session = try server.known(sid)
            #expect(session.bufferedBytes == 0)
            session.send(binary: ByteBuffer(repeating: 1, count: 100))
            #expect(session.bufferedBytes >= 100)
            _ = try await server.get(sid)
            #expect(session.bufferedBytes == 0)
        }
    }

    @Test func framesOfABroadcastAreUsedAsTheyAre() async throws {
        try await withServer { server in
            var frames = ByteBuffer()
            frames.writeBytes([0x81, 0x02, 0x34, 0x61, 0x82, 0x01, 0x07])
            let webSocket = try await server.openWebSocket()
            let sid = try await server.openPolling().sid
            for session in server.log.value.sessions { #expect("\(session.send(frames: frames))" == "accepted") }
            try await webSocket.expectText("4a")
            try await webSocket.expectBinary([7])
            #expect(try await server.get(sid).text == "4a\u{1E}bBw==")
        }
    }
}
