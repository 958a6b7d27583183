import Foundation
import SocketIO
import TestSupport
import Testing

/// `socketio connect` in a terminal.
@Suite(.serialized)
struct ConnectTerminalTests {
    private func withTerminal(
        _ arguments: [String] = [], environment: [String: String] = [:],
        _ body: (InteropFixture, PseudoTerminal) async throws -> Void
    ) async throws {
        let server = try await InteropFixture.start(eventLoops: 1)
        var variables = ["TERM": "xterm", "NO_COLOR": "1"]
        variables.merge(environment) { $1 }
        let terminal = try PseudoTerminal(
            try ServeCommandTests.executable, ["connect", "http://127.0.0.1:\(server.port)"] + arguments,
            environment: variables)
        do {
            try await terminal.wait(for: "/help says more")
            try await body(server, terminal)
        } catch {
            await server.io.close(timeout: .zero)
            throw error
        }
        await server.io.close(timeout: .seconds(1))
    }

    private func leaves(_ terminal: PseudoTerminal) async throws {
        #expect(try await terminal.waitForExit() == 0)
        #expect(terminal.isAsShellsWantIt)
    }

    @Test func whatIsTypedIsSentAndWhatComesIsShown() async throws {
        try await self.withTerminal { _, terminal in
            try await terminal.wait(for: "upgraded to websocket")
            #expect(!terminal.isAsShellsWantIt)
            // With a slip that is put right by the cursor keys.
            try terminal.type("ech \"ü\" {\"a\":1}\u{01}\u{1B}fo\r")
            try await terminal.wait(for: " > echo \"ü\" {\"a\":1}\r\n")
            try await terminal.wait(for: " < echo \"ü\" {\"a\":1}\r\n")
            // Once more out of the history, with its answer.
            try terminal.type("\u{1B}[A\u{01}? \u{1B}f-ack\r")
            try await terminal.wait(for: " = echo-ack \"ü\" {\"a\":1}\r\n")
            let count = terminal.count
            try terminal.type("echo {a}\r")
            try await terminal.wait(for: "      ^ a key in double quotes is expected here", after: count)
            try terminal.type("/help\r")
            try await terminal.wait(for: "/connect  /disconnect", after: count)
            #expect(!terminal.output.contains("\u{1B}[3"))
            try terminal.type("\u{04}")
            try await self.leaves(terminal)
        }
    }

    @Test func coloursAndEscapes() async throws {
        try await self.withTerminal(environment: ["NO_COLOR": ""]) { server, terminal in
            try terminal.type("join \"a\"\r")
            try await terminal.wait(for: "join\u{1B}[0m \u{1B}[92m\"a\"\u{1B}[0m")
            try terminal.type("room-say \"a\" \"\\u001b[2J\\u009b\"\r")
            try await terminal.wait(for: "\u{1B}[92m\"\\u001b[2J\\u009b\"\u{1B}[0m\r\n")
            #expect(!terminal.output.contains("\u{1B}[2J"))
            try terminal.type("typed\u{03}\u{03}")
            try await self.leaves(terminal)
        }
    }

    /// An event that comes while a line is being typed does not disturb it.
    @Test func theLineStaysWhenAnEventComes() async throws {
        try await self.withTerminal { server, terminal in
            server.io.main.onConnection { _ in }
            try terminal.type("echo \"ha")
            try await terminal.wait(for: "> echo \"ha")
            let count = terminal.count
            server.io.emit("news", 1)
            try await terminal.wait(for: " < news 1\r\n\r\u{1B}[K> echo \"ha", after: count)
            try terminal.type("lf\"\r")
            try await terminal.wait(for: " < echo \"half\"")
            terminal.signal(SIGTERM)
            try await self.leaves(terminal)
        }
    }

    @Test func leavingAndJoiningAgain() async throws {
        try await self.withTerminal { _, terminal in
            try terminal.type("kick false\r")
            try await terminal.wait(for: "disconnected: io server disconnect\r\n")
            try await terminal.wait(for: "/connect does")
            var count = terminal.count
            try terminal.type("echo \"kept\"\r")
            try await terminal.wait(for: "it is sent over the next", after: count)
            try terminal.type("/connect\r")
            try await terminal.wait(for: "connected over", after: count)
            try await terminal.wait(for: " < echo \"kept\"", after: count)
            count = terminal.count
            try terminal.type("/disconnect\r")
            try await terminal.wait(for: "disconnected: io client disconnect", after: count)
            try terminal.type("/quit\r")
            try await self.leaves(terminal)
        }
    }

    /// A terminal that can't move its cursor gets plain lines, and reads them.
    @Test func dumbTerminals() async throws {
        let server = try await InteropFixture.start(eventLoops: 1)
        let terminal = try PseudoTerminal(
            try ServeCommandTests.executable, ["connect", "http://127.0.0.1:\(server.port)"],
            environment: ["TERM": "dumb"])
        try await terminal.wait(for: "connected over")
        #expect(terminal.isAsShellsWantIt)
        try terminal.type("echo 1\n")
        try await terminal.wait(for: " < echo 1\r\n")
        #expect(!terminal.output.contains("\u{1B}"))
        terminal.signal(SIGINT)
        #expect(try await terminal.waitForExit() == 0)
        await server.io.close(timeout: .seconds(1))
    }
}
