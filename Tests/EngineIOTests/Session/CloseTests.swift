import TestSupport
import Testing

@testable import EngineIO

/// Who closes what in which way, row by row of the protocol's table.
struct CloseTests {
    // MARK: The client closes

    @Test func clientByPollingWithAWaitingGet() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let get = try await server.waitingGet(sid)
            #expect(try await server.post(sid, "1").text == "ok")
            #expect(try await get.reply().text == "6")
            #expect(try await server.end(sid) == "transport close")
            #expect(server.server.sessionCount == 0)
        }
    }

    @Test func clientByPollingBehindAMessage() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            #expect(try await server.post(sid, "4a\u{1E}1\u{1E}4b").text == "ok")
            #expect(try await server.end(sid) == "transport close")
            #expect(server.log.value.messages.map(\.message) == [.text("a")])
        }
    }

    @Test func clientByWebSocket() async throws {
        try await withServer { server in
            let webSocket = try await server.openWebSocket()
            try await webSocket.close()
            #expect(try await server.onlyEnd() == "transport close")
            #expect(server.server.sessionCount == 0)
        }
    }

    @Test func clientDuringAnUpgrade() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let webSocket = try await server.probe(sid)
            try await webSocket.send("2probe")
            try await webSocket.expectText("3probe")
            #expect(try await server.post(sid, "1").text == "ok")
            #expect(try await server.end(sid) == "transport close")
            #expect(try await webSocket.expectClose() == nil)
            try await webSocket.waitForEOF()
        }
    }

    // MARK: The server closes

    @Test func serverWithAWaitingGet() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let get = try await server.waitingGet(sid)
            #expect(try server.known(sid).close())
            #expect(try await get.reply().text == "1")
            #expect(try await server.end(sid) == "forced close")
            #expect(try await server.get(sid).status == 400)
        }
    }

    @Test func serverWithoutAGet() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let session = try server.known(sid)
            #expect(!session.close())
            #expect(!session.isOpen)
            session.send(text: "too late")
            #expect(server.log.value.ends.isEmpty)
            #expect(try await server.get(sid).text == "6\u{1E}1")
            #expect(try await server.end(sid) == "forced close")
        }
    }

    @Test func serverWithDataThatWaits() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let session = try server.known(sid)
            for text in ["a", "b", "bye"] { session.send(text: text) }
            session.close()
            #expect(try await server.get(sid).text == "4a\u{1E}4b\u{1E}4bye")
            #expect(try await server.get(sid).text == "6\u{1E}1")
            #expect(try await server.end(sid) == "forced close")
        }
    }

    @Test func serverByWebSocket() async throws {
        try await withServer { server in
            let webSocket = try await server.openWebSocket()
            let session = try #require(server.log.value.sessions.first)
            for text in ["a", "b", "bye"] { session.send(text: text) }
            session.close()
            session.send(text: "too late")
            for text in ["4a", "4b", "4bye"] { try await webSocket.expectText(text) }
            #expect(try await webSocket.nextRawFrame().payload == [])
            try await webSocket.sendClose()
            try await webSocket.waitForEOF()
            #expect(try await server.onlyEnd() == "forced close")
            #expect(server.server.sessionCount == 0)
        }
    }

    @Test func serverDuringAnUpgrade() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let webSocket = try await server.probe(sid)
            try await webSocket.send("2probe")
            try await webSocket.expectText("3probe")
            try server.known(sid).close()
            #expect(try await server.get(sid).text == "6\u{1E}1")
            #expect(try await webSocket.expectClose() == nil)
            try await webSocket.waitForEOF()
            #expect(try await server.end(sid) == "forced close")
        }
    }

    @Test func serverClosesAndTheClientUpgrades() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let webSocket = try await server.probe(sid)
            try await webSocket.send("2probe")
            try await webSocket.expectText("3probe")
            let session = try server.known(sid)
            session.send(text: "bye")
            session.close()
            try await webSocket.send("5")
            try await webSocket.expectText("4bye")
            #expect(try await webSocket.expectClose() == nil)
            #expect(try await server.end(sid) == "forced close")
        }
    }

    @Test func clientThatNeverComesBack() async throws {
        try await withServer {
            $0.closeTimeout = .milliseconds(50)
        } _: { server in
            let sid = try await server.openPolling().sid
            #expect(try !server.known(sid).close())
            #expect(try await server.end(sid) == "forced close")
            #expect(server.server.sessionCount == 0)
        }
    }

    @Test func clientThatDoesNotAnswerTheCloseFrame() async throws {
        try await withServer {
            $0.closeTimeout = .milliseconds(50)
        } _: { server in
            let webSocket = try await server.openWebSocket()
            try await webSocket.send("4close me")
            try await webSocket.expectClose(answer: false)
            try await webSocket.waitForEOF()
        }
    }

    @Test func closingTwiceIsClosingOnce() async throws {
        try await withServer { server in
            let client = try await server.client(.websocket)
            let session = try server.known(client.sid)
            session.close()
            session.close()
            try await client.waitForClose()
            _ = try await server.end(client.sid)
            session.close()
            #expect(server.log.value.ends.count == 1)
        }
    }

    /// "bye" and the end arrive on a connection that was full, when its client reads again.
    @Test func fullConnectionThatIsReadAgain() async throws {
        try await withServer { server in
            let webSocket = try await WSClient.connect(
                port: server.port, path: "/engine.io/?EIO=4&transport=websocket", receiveBuffer: 4096)
            _ = try await webSocket.nextText()
            try await webSocket.connection.pauseReading()
            let session = try #require(server.log.value.sessions.first)
            let text = String(repeating: "x", count: 100_000)
            for _ in 0..<100 { session.send(text: text) }
            try await eventually("the connection to be full") { session.state.withLock { !$0.isWritable } }
            session.send(text: "bye")
            session.close()
            try await webSocket.connection.resumeReading()
            for _ in 0..<100 { #expect(try await webSocket.nextText().utf8.count == text.utf8.count + 1) }
            try await webSocket.expectText("4bye")
            #expect(try await webSocket.expectClose() == nil)
            #expect(try await server.onlyEnd() == "forced close")
        }
    }

    // MARK: While it opens

    @Test func closedWhileItOpens() async throws {
        try await withServer(onOpen: { session in
            session.send(text: "bye")
            session.close()
        }) { server in
            let reply = try await server.http.request("GET", TestServer.path())
            #expect(reply.text.hasSuffix("\u{1E}4bye"))
            let sid = try #require(server.log.value.sessions.first).id
            #expect(try await server.get(sid).text == "6\u{1E}1")
            let webSocket = try await server.openWebSocket()
            try await webSocket.expectText("4bye")
            #expect(try await webSocket.expectClose() == nil)
            try await eventually("the end of both") { server.log.value.ends.count == 2 }
        }
    }

    @Test func endedWhileItOpens() async throws {
        try await withServer {
            $0.maxOutboxBytes = 100
        } onOpen: { session in
            for _ in 0..<3 { session.send(text: String(repeating: "x", count: 100)) }
        } _: { server in
            #expect(try await server.http.request("GET", TestServer.path()).status == 400)
            let webSocket = try await server.webSocket()
            #expect(try await webSocket.expectClose() == nil)
            try await webSocket.waitForEOF()
            try await eventually("the end of both") { server.log.value.ends.count == 2 }
            #expect(server.server.sessionCount == 0)
        }
    }

    // MARK: Order

    @Test func nothingIsHandledAfterTheEnd() async throws {
        try await withServer { server in
            var clients: [EIOClient] = []
            for index in 0..<40 { clients.append(try await server.client(index % 2 == 0 ? .polling : .websocket)) }
            for client in clients {
                for index in 0..<20 { try client.send("\(index)") }
            }
            for session in server.log.value.sessions { session.close() }
            for client in clients { _ = try await server.end(client.sid) }
            let seen = server.log.value.messages.count
            #expect(server.log.value.ends.count == 40)
            #expect(Set(server.log.value.ends.map(\.id)).count == 40)
            for client in clients { await client.close() }
            #expect(server.log.value.messages.count == seen)
            #expect(server.server.sessionCount == 0)
        }
    }
}
