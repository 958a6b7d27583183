import Metrics
import MetricsTestKit
import TestSupport
import Testing

@testable import SocketIO

/// What a server tells a metrics system, with real clients.
struct MetricsTests {
    /// A server whose metrics are told every 5 ms.
    private func withMetrics(
        _ configure: (inout SocketIOConfiguration) -> Void = { _ in },
        _ body: (SocketIOServer, Int, TestMetrics) async throws -> Void
    ) async throws {
        let metrics = TestMetrics()
        try await withServer {
            $0.metrics = MetricsConfiguration(factory: metrics)
            $0.metrics?.interval = .milliseconds(5)
            configure(&$0)
        } _: { io, port in
            try await body(io, port, metrics)
        }
        // Whatever has happened, a closed server has nothing any more.
        #expect(metrics.gaugesAboveZero == [])
        let opened = metrics.counterTotal(label: "socketio_sessions_opened_total")
        #expect(metrics.counterTotal(label: "socketio_sessions_closed_total") == opened)
        let joined =
            metrics.count("joins_total", ("result", "accepted")) + metrics.count("joins_total", ("result", "recovered"))
        #expect(metrics.counterTotal(label: "socketio_disconnects_total") == Int64(joined))
    }

    @Test func withoutConfigurationThereIsNothing() async throws {
        try await withServer { io, port in
            #expect(io.observation == nil)
            #expect(io.main.observation == nil)
            #expect(io.engine?.metrics == nil)
            let client = try await join(port)
            try await client.sync()
            await client.close()
        }
    }

    @Test func connectionsAndSessionsByTransport() async throws {
        try await self.withMetrics { _, port, metrics in
            let polling = try await join(port, "/", .polling)
            let webSocket = try await join(port)
            try await metrics.wait("sessions", ("transport", "polling"), is: 1)
            try await metrics.wait("sessions", ("transport", "websocket"), is: 1)
            try await metrics.wait("connections", ("protocol", "websocket"), is: 1)
            #expect(metrics.count("sessions_opened_total", ("transport", "polling")) == 1)
            #expect(metrics.count("sessions_opened_total", ("transport", "websocket")) == 1)
            try await polling.session.upgrade()
            try await polling.sync()
            try await metrics.wait("sessions", ("transport", "websocket"), is: 2)
            try await metrics.wait("sessions", ("transport", "polling"), is: 0)
            try await metrics.wait("connections", ("protocol", "websocket"), is: 2)
            #expect(metrics.count("upgrades_total", ("result", "completed")) == 1)
            await polling.close()
            await webSocket.close()
            try await metrics.wait("sessions", ("transport", "websocket"), is: 0)
            try await metrics.wait("connections", ("protocol", "websocket"), is: 0)
            try await metrics.wait("connections", ("protocol", "http"), is: 0)
            #expect(metrics.count("sessions_closed_total", ("reason", "transport_close")) == 2)
            #expect(metrics.count("disconnects_total", ("reason", "transport_close")) == 2)
            #expect(metrics.count("sessions_closed_total", ("reason", "ping_timeout")) == 0)
            try await eventually("a delay of a loop") { !metrics.durations("loop_delay_seconds").isEmpty }
        }
    }

    @Test func failedUpgrades() async throws {
        try await self.withMetrics { _, port, metrics in
            let client = try await join(port, "/", .polling)
            let path = EIOClient.requestPath(client.session.options, .websocket, sid: client.session.sid)
            let rude = try await WSClient.connect(port: port, path: path)
            try await rude.send("2something else")
            try await metrics.waitForCount("upgrades_total", ("result", "failed"), is: 1)
            try await client.session.upgrade()
            let late = try await WSClient.connect(port: port, path: path)
            try await late.expectClose()
            try await metrics.waitForCount("upgrades_total", ("result", "refused"), is: 1)
            #expect(metrics.count("upgrades_total", ("result", "completed")) == 1)
            await client.close()
        }
    }

    @Test func upgradesThatTakeTooLong() async throws {
        try await self.withMetrics {
            $0.engine.upgradeTimeout = .milliseconds(50)
        } _: { _, port, metrics in
            let client = try await join(port, "/", .polling)
            let path = EIOClient.requestPath(client.session.options, .websocket, sid: client.session.sid)
            let probing = try await WSClient.connect(port: port, path: path)
            try await probing.expectClose()
            try await metrics.waitForCount("upgrades_total", ("result", "timed_out"), is: 1)
            #expect(metrics.count("upgrades_total", ("result", "failed")) == 0)
            try await client.sync()
            await client.close()
        }
    }

    @Test func packetsAndBytesOfAWebSocket() async throws {
        try await self.withMetrics { io, port, metrics in
            io.onConnection { socket in socket.on("echo") { (text: String) in socket.emit("echo", text) } }
            let client = try await join(port)
            for index in 0..<10 {
                try client.emit("echo", "\"\(index)\"")
                _ = try await client.expectEvent("echo")
            }
            let label = ("transport", "websocket")
            // CONNECT and the events; the handshake, the answer to CONNECT and the events.
            try await metrics.waitForCount("packets_received_total", label, is: 11)
            try await metrics.waitForCount("packets_sent_total", label, is: 12)
            let event = "42[\"echo\",\"0\"]".utf8.count
            try await metrics.waitForCount("bytes_received_total", label, is: (6 + 2) + 10 * (6 + event))
            let sent = metrics.count("bytes_sent_total", label)
            #expect(sent > 10 * (2 + event) && sent < 10 * (2 + event) + 400)
            try await metrics.waitForCount("events_received_total", is: 10)
            #expect(metrics.durations("handler_duration_seconds", ("kind", "sync")).count == 10)
            #expect(metrics.count("packets_received_total", ("transport", "polling")) == 0)
            await client.close()
        }
    }

    @Test func packetsAndBytesOfPolling() async throws {
        try await self.withMetrics { io, port, metrics in
            io.onConnection { socket in socket.on("echo") { (text: String) in socket.emit("echo", text) } }
            let client = try await join(port, "/", .polling)
            for index in 0..<10 {
                try client.emit("echo", "\"\(index)\"")
                _ = try await client.expectEvent("echo")
            }
            let label = ("transport", "polling")
            try await metrics.waitForCount("packets_received_total", label, is: 11)
            try await metrics.waitForCount("packets_sent_total", label, is: 12)
            let event = "42[\"echo\",\"0\"]".utf8.count
            try await metrics.waitForCount("bytes_received_total", label, is: 2 + 10 * event)
            #expect(metrics.count("bytes_sent_total", label) > 10 * event)
            #expect(metrics.count("bytes_received_total", ("transport", "websocket")) == 0)
            await client.close()
        }
    }

    @Test func rejections() async throws {
        try await self.withMetrics {
            $0.engine.maxPayload = 100
            $0.engine.allowRequest = { $0.query["token"] == "no" ? .refuse(reason: "no") : .allow }
        } _: { _, port, metrics in
            let path = "/socket.io/?EIO=4&transport="
            func request(_ method: String, _ path: String) async throws {
                _ = try await HTTPClient1(port: port).request(method, path)
            }
            try await request("GET", path + "carrier-pigeon")
            try await request("GET", path + "polling&sid=nobody")
            try await request("POST", path + "polling")
            try await request("GET", "/socket.io/?EIO=3&transport=polling")
            try await request("GET", path + "polling&token=no")
            try await request("GET", path + "websocket")
            let client = try await join(port, "/", .polling)
            let post = try await HTTPClient1(port: port).request(
                "POST", path + "polling&sid=\(client.session.sid)", body: .text(String(repeating: "x", count: 101)))
            #expect(post.status == 413)
            let raw = try await RawConnection.connect(port: port)
            try await raw.send(Array("no HTTP\r\n\r\n".utf8))
            for reason in [
                "unknown_transport", "unknown_session", "bad_method", "unsupported_version", "forbidden",
                "bad_request", "body_too_large", "malformed",
            ] {
                try await metrics.waitForCount("rejections_total", ("reason", reason), is: 1)
            }
            #expect(metrics.counterTotal(label: "socketio_rejections_total") == 8)
            #expect(metrics.count("limits_exceeded_total", ("limit", "maxPayload")) == 1)
            await raw.close()
            await client.close()
        }
    }

    @Test func tooManySessions() async throws {
        try await self.withMetrics {
            $0.engine.maxSessions = 1
        } _: { _, port, metrics in
            let client = try await join(port)
            await #expect(throws: EIORefused.self) { try await open(port) }
            try await metrics.waitForCount("rejections_total", ("reason", "too_many_sessions"), is: 1)
            #expect(metrics.count("limits_exceeded_total", ("limit", "maxSessions")) == 1)
            await client.close()
        }
    }

    @Test func tooManySessionsOfAnAddress() async throws {
        try await self.withMetrics {
            $0.engine.maxSessionsPerAddress = 1
        } _: { _, port, metrics in
            let client = try await join(port)
            await #expect(throws: EIORefused.self) { try await open(port) }
            try await metrics.waitForCount("rejections_total", ("reason", "too_many_sessions_of_address"), is: 1)
            #expect(metrics.count("limits_exceeded_total", ("limit", "maxSessionsPerAddress")) == 1)
            #expect(metrics.count("limits_exceeded_total", ("limit", "maxSessions")) == 0)
            await client.close()
        }
    }

    @Test func tooManyConnectionsOfAnAddress() async throws {
        try await self.withMetrics {
            $0.engine.maxConnectionsPerAddress = 1
        } _: { _, port, metrics in
            let client = try await join(port)
            let second = try await RawConnection.connect(port: port)
            try await metrics.waitForCount("limits_exceeded_total", ("limit", "maxConnectionsPerAddress"), is: 1)
            await second.close()
            await client.close()
        }
    }

    @Test func rates() async throws {
        try await self.withMetrics {
            $0.eventRate = RateLimit(2, per: .seconds(3600), policy: .drop)
        } _: { io, port, metrics in
            let client = try await join(port)
            for _ in 0..<5 { try client.emit("event") }
            try await metrics.waitForCount("limits_exceeded_total", ("limit", "eventRate"), is: 3)
            await client.close()
        }
        try await self.withMetrics {
            $0.engine.messageRate = RateLimit(2, per: .seconds(3600))
        } _: { io, port, metrics in
            let client = try await join(port)
            for _ in 0..<5 { try client.emit("event") }
            try await client.session.waitForClose()
            try await metrics.waitForCount("limits_exceeded_total", ("limit", "messageRate"), is: 1)
        }
        try await self.withMetrics {
            $0.connectRate = RateLimit(2, per: .seconds(3600), policy: .drop)
        } _: { io, port, metrics in
            let client = try await join(port)
            try client.disconnect()
            try await client.connect()
            try client.disconnect()
            for _ in 0..<2 { await #expect(throws: SIORefused.self) { try await client.connect() } }
            try await metrics.waitForCount("limits_exceeded_total", ("limit", "connectRate"), is: 2)
            #expect(metrics.count("joins_total", ("result", "limited")) == 2)
            await client.close()
        }
    }

    /// A socket that goes on is one more that has joined.
    @Test func recoveredSockets() async throws {
        try await self.withMetrics {
            $0.connectionStateRecovery = ConnectionStateRecovery()
        } _: { io, port, metrics in
            let client = try await ReturningClient.join(port)
            io.emit("hello", 1)
            _ = try await client.next()
            try await client.lose()
            try await RecoveryTests.gone(client, io)
            try await metrics.wait("sockets", is: 0)
            try await client.comeBack(port)
            #expect(client.recovered)
            try await metrics.wait("sockets", is: 1)
            #expect(metrics.count("joins_total", ("result", "accepted")) == 1)
            #expect(metrics.count("joins_total", ("result", "recovered")) == 1)
            await client.close()
        }
    }

    @Test func slowConsumer() async throws {
        try await self.withMetrics {
            $0.engine.maxOutboxBytes = 1 << 20
        } _: { io, port, metrics in
            var options = EIOOptions(port: port, transport: .websocket)
            options.receiveBuffer = 4096
            let client = try await SIOClient.open(options)
            try await client.connect()
            let socket = try await onlySocket(io.main)
            try await client.session.pauseReading()
            let text = String(repeating: "x", count: 100_000)
            for _ in 0..<10_000 where socket.connected { socket.emit("flood", text) }
            try await metrics.waitForCount("limits_exceeded_total", ("limit", "maxOutboxBytes"), is: 1)
            try await metrics.waitForCount("sessions_closed_total", ("reason", "transport_error"), is: 1)
            try await metrics.waitForCount("disconnects_total", ("reason", "transport_error"), is: 1)
            await client.session.abort()
        }
    }

    @Test func namespacesRoomsAndJoins() async throws {
        try await self.withMetrics {
            $0.maxRoomsPerSocket = 2
            $0.maxNamespacesPerConnection = 3
        } _: { io, port, metrics in
            io.of("/closed").use { _ in throw ConnectError("no") }
            io.of(/^\/tenant-\d+$/).onConnection { socket in socket.join("a", "b") }
            let client = try await join(port, "/tenant-1")
            try await client.connect("/tenant-2")
            try await metrics.wait("namespaces", is: 4)
            try await metrics.wait("sockets", is: 2)
            try await metrics.wait("rooms", is: 4)
            await #expect(throws: SIORefused.self) { try await client.connect("/closed") }
            await #expect(throws: SIORefused.self) { try await client.connect("/unknown") }
            try await client.connect("/")
            await #expect(throws: SIORefused.self) { try await client.connect("/tenant-3") }
            try await metrics.waitForCount("joins_total", ("result", "accepted"), is: 3)
            try await metrics.waitForCount("joins_total", ("result", "refused"), is: 1)
            try await metrics.waitForCount("joins_total", ("result", "unknown_namespace"), is: 1)
            try await metrics.waitForCount("joins_total", ("result", "limited"), is: 1)
            #expect(metrics.count("limits_exceeded_total", ("limit", "maxNamespacesPerConnection")) == 1)
            let socket = try await onlySocket(io.of("/tenant-1"))
            socket.join("c")
            try await metrics.waitForCount("limits_exceeded_total", ("limit", "maxRoomsPerSocket"), is: 1)
            try client.disconnect("/tenant-1")
            try await metrics.waitForCount("disconnects_total", ("reason", "client_namespace_disconnect"), is: 1)
            try await onlySocket(io.of("/tenant-2")).disconnect()
            try await metrics.waitForCount("disconnects_total", ("reason", "server_namespace_disconnect"), is: 1)
            try await metrics.wait("sockets", is: 1)
            try await metrics.wait("rooms", is: 0)
            await client.close()
        }
    }

    @Test func handlers() async throws {
        let door = Door()
        try await self.withMetrics { io, port, metrics in
            io.onConnection { socket in
                socket.on("async") { () async throws -> Bool in
                    try await door.pass()
                    return true
                }
                socket.on("both") { (text: String) in text }
                socket.on("both") { (text: String) async throws -> Void in try await door.pass() }
                socket.on("fails") { () throws -> Bool in throw TestError("no") }
                socket.on("fails") { () async throws -> Void in throw TestError("no") }
            }
            let client = try await join(port)
            try client.emit("async")
            try client.emit("both", "\"x\"")
            try client.emit("unknown")
            try await client.sync()
            try await metrics.wait("handlers_running", is: 2)
            // That of "both", and that of "sync".
            #expect(metrics.durations("handler_duration_seconds", ("kind", "sync")).count == 2)
            #expect(metrics.durations("handler_duration_seconds", ("kind", "async")).isEmpty)
            door.open()
            try await metrics.wait("handlers_running", is: 0)
            try await eventually("two durations") {
                metrics.durations("handler_duration_seconds", ("kind", "async")).count == 2
            }
            try client.emit("fails")
            try await metrics.waitForCount("errors_total", is: 2)
            // One without listeners is no event.
            try await metrics.waitForCount("events_received_total", is: 4)
            await client.close()
        }
    }

    @Test func tooManyHandlers() async throws {
        let door = Door()
        try await self.withMetrics {
            $0.maxRunningHandlers = 1
            $0.engine.maxInboundQueueBytes = 1000
        } _: { io, port, metrics in
            io.onConnection { socket in socket.on("wait") { () async throws -> Void in try await door.pass() } }
            let client = try await join(port)
            for _ in 0..<8 { try client.emit("wait") }
            try await client.session.waitForClose()
            try await metrics.waitForCount("limits_exceeded_total", ("limit", "maxInboundQueueBytes"), is: 1)
            door.open()
            try await metrics.wait("handlers_running", is: 0)
        }
    }

    @Test func acknowledgements() async throws {
        try await self.withMetrics { io, port, metrics in
            let client = try await join(port)
            let socket = try await onlySocket(io.main)
            async let answer: Int = socket.emitWithAck("question")
            try client.acknowledge(try await client.nextEvent(), "1")
            #expect(try await answer == 1)
            #expect(metrics.durations("ack_duration_seconds", ("result", "answered")).count == 1)
            await #expect(throws: SocketIOError.self) {
                let _: Int = try await socket.emitWithAck("question", timeout: .milliseconds(20))
            }
            #expect(metrics.durations("ack_duration_seconds", ("result", "timed_out")).count == 1)
            let waiting = Task { let _: Int = try await socket.emitWithAck("question") }
            try await eventually("one who waits") { socket.pendingAckCount == 1 }
            socket.disconnect()
            await #expect(throws: SocketIOError.self) { try await waiting.value }
            #expect(metrics.durations("ack_duration_seconds", ("result", "disconnected")).count == 1)
            #expect(metrics.durations("ack_duration_seconds", ("result", "cancelled")).isEmpty)
            await client.close()
        }
    }

    @Test func broadcastsWithAcknowledgements() async throws {
        try await self.withMetrics { io, port, metrics in
            let clients = [try await join(port), try await join(port)]
            async let answers: [Int] = io.timeout(.seconds(60)).emitWithAck("question")
            for client in clients { try client.acknowledge(try await client.nextEvent(), "1") }
            #expect(try await answers == [1, 1])
            #expect(metrics.durations("ack_duration_seconds", ("result", "answered")).count == 2)
            for client in clients { await client.close() }
        }
    }

    @Test func namesAndDimensionsAreTheUsers() async throws {
        let metrics = TestMetrics()
        try await withServer {
            var configuration = MetricsConfiguration(factory: metrics)
            configuration.prefix = "chat"
            configuration.dimensions = [("server", "a")]
            $0.metrics = configuration
        } _: { _, port in
            await (try await join(port)).close()
        }
        let counter = try metrics.expectCounter(
            "chat_sessions_opened_total", [("server", "a"), ("transport", "websocket")])
        #expect(counter.totalValue == 1)
    }

    /// What clients name appears in no label.
    @Test func labelsAreAClosedSet() async throws {
        try await self.withMetrics { io, port, metrics in
            _ = io.of(/^\/secret/)
            io.onConnection { socket in socket.on("secret-event") { (room: String) in socket.join(Room(room)) } }
            let before = Set(metrics.series)
            let client = try await join(port)
            try await client.connect("/secret-namespace")
            try client.emit("secret-event", "\"secret-room\"")
            try await client.sync()
            await client.close()
            try await metrics.waitForCount("disconnects_total", ("reason", "transport_close"), is: 2)
            #expect(Set(metrics.series) == before)
        }
    }
}
