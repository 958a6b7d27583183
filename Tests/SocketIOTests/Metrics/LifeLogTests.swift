import EngineIO
import Logging
import SocketIO
import TestSupport
import Testing

/// What is logged of the life of a connection.
struct LifeLogTests {
    /// Everything that happens every day: nothing of it is logged above debug, and the lines tell whose they are.
    @Test func normalWorkIsQuiet() async throws {
        let log = LogLines(level: .trace)
        try await withServer(logger: log.logger) { io, port in
            io.of("/closed").use { _ in throw ConnectError("no") }
            io.onConnection { socket in
                socket.on("echo") { (text: String) in socket.emit("echo", text) }
                socket.on("join") { (room: String) in socket.join(Room(room)) }
            }
            let polling = try await join(port, "/", .polling)
            let webSocket = try await join(port)
            try await polling.session.upgrade()
            for client in [polling, webSocket] {
                try client.emit("echo", "\"x\"")
                _ = try await client.expectEvent("echo")
                try client.emit("join", "\"room\"")
                try await client.sync()
            }
            io.to("room").emit("news")
            for client in [polling, webSocket] { _ = try await client.expectEvent("news") }
            await #expect(throws: SIORefused.self) { try await webSocket.connect("/closed") }
            await #expect(throws: SIORefused.self) { try await webSocket.connect("/unknown") }
            _ = try await HTTPClient1(port: port).request("GET", "/socket.io/?EIO=4&transport=polling&sid=nobody")
            let id = try webSocket.id()
            try webSocket.disconnect()
            try await log.wait(for: "client namespace disconnect")
            await polling.close()
            await webSocket.close()
            try await eventually("both ends") { log.count(of: "session closed") == 2 }

            let lines = log.lines.value
            #expect(lines.filter { !$0.hasPrefix("debug ") && !$0.hasPrefix("trace ") } == [])
            #expect(log.count(of: "session opened") == 2)
            #expect(log.count(of: "session upgraded") == 1)
            #expect(log.count(of: "socket connected") == 2)
            for text in ["session opened", "session upgraded", "session closed"] {
                for line in lines where line.contains(text) {
                    for key in ["socketio.session", "socketio.transport", "socketio.address"] {
                        #expect(line.contains("\"\(key)\""), "\(key) in \(line)")
                    }
                }
            }
            for line in lines where line.contains("socket connected") || line.contains("socket disconnected") {
                for key in ["socketio.session", "socketio.namespace", "socketio.socket", "socketio.address"] {
                    #expect(line.contains("\"\(key)\""), "\(key) in \(line)")
                }
            }
            #expect(lines.contains { $0.contains("socket disconnected") && $0.contains(id) })
            #expect(
                lines.filter { $0.contains("closed") || $0.contains("disconnected") }.allSatisfy {
                    $0.contains("\"socketio.reason\"")
                })
            // Who knows a session's id has the session.
            for client in [polling, webSocket] {
                #expect(!lines.contains { $0.contains(client.session.sid) })
                #expect(lines.contains { $0.contains("\"socketio.session\": \(client.session.sid.prefix(6))") })
            }
        }
    }

    /// What concerns a session says which one.
    @Test func complaintsTellWhoseTheyAre() async throws {
        let log = LogLines(level: .trace)
        try await withServer(logger: log.logger) { _, port in
            let client = try await join(port)
            try client.sendRaw("9nonsense")
            try await client.session.waitForClose()
            try await log.wait(for: "connection closed: invalid packet")
            let line = try #require(log.lines.value.first { $0.contains("connection closed: invalid packet") })
            #expect(line.hasPrefix("debug ") && line.contains("\"socketio.session\": \(client.session.sid.prefix(6))"))
        }
    }

    /// A handler's error without a hook says whose it was.
    @Test func errorsOfHandlersTellWhoseTheyAre() async throws {
        let log = LogLines(level: .trace)
        try await withServer(logger: log.logger) {
            $0.onError = nil
        } _: { io, port in
            io.onConnection { socket in socket.on("fail") { () throws -> Void in throw TestError("no") } }
            let client = try await join(port)
            try client.emit("fail")
            try await log.wait(for: "a handler failed")
            let line = try #require(log.lines.value.first { $0.contains("a handler failed") })
            #expect(line.hasPrefix("error "))
            for text in [try client.id(), "\"socketio.event\": fail", "\"socketio.namespace\": /"] {
                #expect(line.contains(text))
            }
            await client.close()
        }
    }
}
