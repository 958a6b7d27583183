import TestSupport
import Testing

@testable import EngineIO

extension OneByOne {
    struct HeartbeatTests {
        static let transports = [EIOOptions.Transport.polling, .websocket]

        private static func short(_ configuration: inout EngineIOConfiguration) {
            configuration.pingInterval = .milliseconds(50)
            configuration.pingTimeout = .milliseconds(50)
        }

        @Test(arguments: Self.transports) func answeredPingsKeepTheSession(transport: EIOOptions.Transport) async throws
        {
            try await withServer {
                $0.pingInterval = .milliseconds(50)
                $0.pingTimeout = .seconds(60)
            } _: { server in
                let client = try await server.client(transport)
                try await client.waitForCounts("five pings") { $0.pings >= 5 }
                #expect(client.closed == nil)
                await client.close()
                #expect(try await server.end(client.sid) == "transport close")
            }
        }

        @Test(arguments: Self.transports) func unansweredPingEndsTheSession(transport: EIOOptions.Transport)
            async throws
        {
            try await withServer(Self.short) { server in
                var options = server.options(transport)
                options.autoPong = false
                options.watchesHeartbeat = false
                let client = try await EIOClient.open(options)
                #expect(try await server.end(client.sid) == "ping timeout")
                // A client that polls at that moment is told, one that polls later finds its session unknown.
                let reasons = transport == .polling ? ["transport close", "transport error"] : ["transport close"]
                #expect(reasons.contains(try await client.waitForClose().reason))
                #expect(server.server.sessionCount == 0)
            }
        }

        @Test func messagesAreNoPongs() async throws {
            try await withServer(Self.short) { server in
                var options = server.options(.websocket)
                options.autoPong = false
                options.watchesHeartbeat = false
                let client = try await EIOClient.open(options)
                let sender = Task {
                    while !Task.isCancelled {
                        try client.send("x")
                        try await Task.sleep(for: .milliseconds(1))
                    }
                }
                #expect(try await server.end(client.sid) == "ping timeout")
                sender.cancel()
                _ = await sender.result
            }
        }

        @Test func waitingGetIsToldOfTheTimeout() async throws {
            try await withServer {
                $0.pingInterval = .milliseconds(50)
                $0.pingTimeout = .seconds(2)
            } _: { server in
                try await eventually("a GET that waits when the time is up") {
                    let sid = try await server.openPolling().sid
                    #expect(try await server.get(sid).text == "2")
                    let reply = try await server.get(sid)
                    #expect(try await server.end(sid) == "ping timeout")
                    // On a slow machine it comes when the time was up.
                    if reply.status == 400 { return false }
                    #expect(reply.text == "1")
                    return true
                }
            }
        }

        @Test func clientThatVanishesAndIsClosedThen() async throws {
            try await withServer {
                Self.short(&$0)
                $0.closeTimeout = .seconds(30)
            } _: { server in
                let sid = try await server.openPolling().sid
                try server.known(sid).close()
                #expect(try await server.end(sid) == "ping timeout")
            }
        }

        @Test func timeoutAfterAnUpgrade() async throws {
            try await withServer {
                $0.pingInterval = .milliseconds(100)
                $0.pingTimeout = .seconds(2)
            } _: { server in
                var options = server.options()
                options.watchesHeartbeat = false
                try await eventually("an upgraded client") {
                    let client = try await EIOClient.open(options)
                    do {
                        try await client.upgrade()
                        try await client.waitForCounts("pings") { $0.pings >= 3 }
                    } catch is EIOClosed {
                        // A machine that is too slow for its pongs.
                        return false
                    }
                    client.setAutoPong(false)
                    #expect(try await server.end(client.sid) == "ping timeout")
                    return true
                }
            }
        }

        @Test func announcedPongIsNoPacketError() async throws {
            try await withServer { server in
                let webSocket = try await server.openWebSocket()
                for text in ["3", "3probe", "4on"] { try await webSocket.send(text) }
                try await webSocket.expectText("4on")
                try await webSocket.close()
            }
        }

        @Test func handlerDeadlines() async throws {
            try await withServer { server in
                let sid = try await server.openPolling().sid
                let session = try server.known(sid)
                let calls = Awaited(0)
                session.enqueue { _ in calls.update { $0 += 1 } }
                session.enqueue { _ in calls.update { $0 += 1 } }
                try await calls.wait("the calls") { $0 == 2 ? true : nil }
            }
        }
    }
}
