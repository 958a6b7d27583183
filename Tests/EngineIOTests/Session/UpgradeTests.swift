import TestSupport
import Testing

@testable import EngineIO

struct UpgradeTests {
    @Test func upgradeUnderTheClientsRules() async throws {
        try await withServer { server in
            let client = try await server.client()
            try client.send("a")
            #expect(try await client.nextText() == "a")
            try await client.upgrade()
            try client.send([1, 2])
            #expect(try await client.nextBinary() == [1, 2])
            #expect(server.session(client.sid)?.transport == .websocket)
            // What polls now is told that it must not.
            #expect(try await server.get(client.sid).text == #"{"code":3,"message":"Bad request"}"#)
            #expect(try await server.post(client.sid, "4x").text == #"{"code":3,"message":"Bad request"}"#)
            await client.close()
            #expect(try await server.end(client.sid) == "transport close")
        }
    }

    @Test func secondWebSocketIsClosed() async throws {
        try await withServer { server in
            let client = try await server.client()
            try await client.upgrade()
            let second = try await server.probe(client.sid)
            #expect(try await second.expectClose() == nil)
            try await second.waitForEOF()
            try client.send("on")
            #expect(try await client.nextText() == "on")
            await client.close()
        }
    }

    @Test func waitingGetsAreAnsweredWhileProbing() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let get = try await server.waitingGet(sid)
            let webSocket = try await server.probe(sid)
            try await webSocket.send("2probe")
            try await webSocket.expectText("3probe")
            #expect(try await get.reply().text == "6")
            for _ in 0..<3 { #expect(try await server.get(sid).text == "6") }
            try server.known(sid).send(text: "by polling")
            #expect(try await server.get(sid).text == "4by polling")
            try await webSocket.send("5")
            try server.known(sid).send(text: "by webSocket")
            try await webSocket.expectText("4by webSocket")
        }
    }

    @Test func getThatStillWaitsIsTold() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let webSocket = try await server.probe(sid)
            let get = try await server.waitingGet(sid)
            try await webSocket.send("5")
            #expect(try await get.reply().text == "1")
            try await webSocket.send("4on")
            try await webSocket.expectText("4on")
        }
    }

    @Test func upgradeTimeout() async throws {
        try await withServer {
            $0.upgradeTimeout = .milliseconds(50)
        } _: { server in
            let sid = try await server.openPolling().sid
            let webSocket = try await server.probe(sid)
            #expect(try await webSocket.expectClose() == nil)
            try await webSocket.waitForEOF()
            try server.known(sid).send(text: "still polling")
            #expect(try await server.get(sid).text == "4still polling")
        }
    }

    @Test(arguments: [false, true]) func webSocketThatIsLostWhileProbing(withReset: Bool) async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let webSocket = try await server.probe(sid)
            try await webSocket.send("2probe")
            try await webSocket.expectText("3probe")
            if withReset { await webSocket.connection.reset() } else { await webSocket.connection.close() }
            try await eventually("the end of the upgrade") { server.session(sid)?.isProbing == false }
            #expect(try await server.post(sid, "4on").text == "ok")
            #expect(try await server.get(sid).text == "4on")
        }
    }

    @Test func twoServersDoNotDisturbEachOther() async throws {
        try await withServer { one in
            try await withServer { two in
                let first = try await one.client()
                let second = try await two.client()
                try await first.upgrade()
                await #expect(throws: WSRefused.self) { try await two.probe(first.sid) }
                try second.send("b")
                #expect(try await second.nextText() == "b")
                try first.send("a")
                #expect(try await first.nextText() == "a")
                await first.close()
                await second.close()
            }
        }
    }

    @Test func pollingOnlyServerDoesNotUpgrade() async throws {
        try await withServer {
            $0.transports = [.polling]
        } _: { server in
            let sid = try await server.openPolling().sid
            let refused = try await #require(throws: WSRefused.self) { try await server.probe(sid) }
            #expect(refused.reply.text == "Transport unknown")
            #expect(server.session(sid)?.isOpen == true)
        }
    }
}
