import NIOCore
import SocketIO
import Testing

@testable import socketio

/// What arguments of `socketio emit` mean.
@Suite struct ShellValueTests {
    @Test func jsonIsJSONAndWordsAreTexts() throws {
        let cases: [(String, SocketIOValue)] = [
            ("1", 1), ("-1.5e2", -150), ("true", true), ("null", nil), ("\"42\"", "42"),
            ("{\"a\":[1,null]}", ["a": [1, nil]]),
            (" [1, 2] ", [1, 2]), ("hello", "hello"), ("", ""), ("two words", "two words"), ("1,2", "1,2"),
            ("1],[2", "1],[2"), ("12 34", "12 34"), ("NaN", "NaN"), ("+1", "+1"), ("{{now}}", "{{now}}"),
            ("it's", "it's"), ("ü", "ü"), ("True", "True"),
        ]
        for (text, value) in cases { #expect(try ShellValue.parse(text) == value, "\(text)") }
    }

    @Test func whatOnlyBeginsLikeJSONIsASlip() {
        for text in [
            "{a:1}", "{\"a\":1", "[1,2", "\"open", " {", "[sic]",
            String(repeating: "[", count: 100) + String(repeating: "]", count: 100),
        ] {
            #expect(throws: ShellValue.Slip.self, "\(text)") { try ShellValue.parse(text) }
        }
    }

    @Test func placeholdersAreFilledInTexts() {
        let placeholders = Placeholders(milliseconds: 1_700_000_000_123, number: 7)
        let value: SocketIOValue = [
            "{{now}}", "{{n}}", "{{millis}}",
            ["{{n}}": "no {{n}} at {{now}}, {{millis}}", "x": [1, nil, "{{other}}"]],
        ]
        #expect(
            ShellValue.fill(value, placeholders) == [
                "2023-11-14T22:13:20.123Z", 7, 1_700_000_000_123,
                ["{{n}}": "no 7 at 2023-11-14T22:13:20.123Z, 1700000000123", "x": [1, nil, "{{other}}"]],
            ])
    }

    @Test func intervals() {
        let cases: [(String, Duration?)] = [
            ("5s", .seconds(5)), ("500ms", .milliseconds(500)), ("1.5s", .milliseconds(1500)), ("2m", .seconds(120)),
            ("1h", .seconds(3600)), ("3", .seconds(3)), ("0s", nil), ("-1s", nil), ("s", nil), ("", nil), ("1e3s", nil),
            ("1.2.3s", nil), ("9999999999999h", nil), ("infs", nil), ("٣s", nil),
        ]
        for (text, duration) in cases { #expect(Interval(argument: text)?.duration == duration, "\(text)") }
    }
}

/// What the servers of a chat in several processes know of each other.
@Suite struct ChatStateTests {
    private func presence(
        _ server: String, _ rooms: [String: [String]], connections: Int = 1, number: Int = 1
    ) -> ChatPresence {
        ChatPresence(
            server: server, rooms: rooms.map { .init(name: $0.key, users: $0.value) }, connections: connections,
            number: number)
    }

    /// The answer to a question may come later than what has changed since.
    @Test func oldWordsChangeNothing() {
        var (state, other) = (ChatState(id: "me"), ChatState(id: "other"))
        let now = ContinuousClock.now
        let early = other.presence(connections: 0)
        #expect(other.enter("1", name: "Ann", room: "lobby") == nil)
        #expect(state.hear(other.presence(connections: 1), at: now) == ["lobby"])
        #expect(state.hear(early, at: now) == nil)
        #expect(state.users(in: "lobby") == ["Ann"])
        let last = other.presence(connections: 1)
        #expect(state.hear(other.farewell, at: now) == ["lobby"])
        #expect(state.hear(last, at: now) == nil)
        #expect(state.users(in: "lobby") == [])
    }

    private func message(_ id: String, _ at: String) -> ChatMessage {
        ChatMessage(id: id, name: "Ann", text: id, at: at)
    }

    @Test func usersAreThoseOfAllServers() {
        var state = ChatState(id: "me")
        let now = ContinuousClock.now
        #expect(state.enter("1", name: "Bob", room: "lobby") == nil)
        #expect(
            state.hear(self.presence("other", ["lobby": ["Ann"], "attic": ["Cid"]]), at: now) == ["lobby", "attic"])
        #expect(state.hear(self.presence("other", ["lobby": ["Ann"], "attic": ["Cid"]], number: 2), at: now) == nil)
        #expect(state.users(in: "lobby") == ["Ann", "Bob"])
        #expect(state.enter("2", name: "Ann", room: "lobby") != nil)
        #expect(state.enter("2", name: "Ann", room: "cellar") == nil)
        let overview = state.overview(connections: 2)
        #expect(overview.connections == 3)
        #expect(overview.rooms.map(\.name) == ["attic", "cellar", "lobby"])
        #expect(state.presence(connections: 2).rooms.map(\.name).sorted() == ["cellar", "lobby"])
        // A word of its own that comes back.
        #expect(state.hear(self.presence("me", [:]), at: now) == nil)
        #expect(state.hear(self.presence("other", ["lobby": ["Ann"]], number: 3), at: now) == ["attic"])
        #expect(state.overview(connections: 2).rooms.map(\.name) == ["cellar", "lobby"])
    }

    @Test func silentServersAreForgotten() {
        var state = ChatState(id: "me")
        let now = ContinuousClock.now
        _ = state.hear(self.presence("gone", ["lobby": ["Ann"]]), at: now)
        _ = state.hear(self.presence("there", ["lobby": ["Bob"]]), at: now + .seconds(10))
        #expect(state.forget(silentSince: now) == nil)
        #expect(state.forget(silentSince: now + .seconds(5)) == ["lobby"])
        #expect(state.users(in: "lobby") == ["Bob"])
        #expect(state.forget(silentSince: now + .seconds(15)) == ["lobby"])
        #expect(state.rooms.isEmpty)
    }

    @Test func historiesAreMergedInTheOrderOfTime() {
        var state = ChatState(id: "me")
        _ = state.enter("1", name: "Bob", room: "lobby")
        let own = state.post("own", in: .init(room: "lobby", name: "Bob"), at: "2026-01-01T00:00:02.000Z")
        let others = [self.message("a-1", "2026-01-01T00:00:01.000Z"), self.message("a-2", "2026-01-01T00:00:03.000Z")]
        state.remember(others, in: "lobby")
        state.remember(others, in: "lobby")
        #expect(state.history(of: "lobby").map(\.id) == ["a-1", own.id, "a-2"])
        state.remember((0..<100).map { self.message("b-\($0)", "2026-01-02T00:00:00.000Z") }, in: "lobby")
        #expect(state.history(of: "lobby").count == ChatState.maxHistory)
        #expect(state.history(of: "lobby").last?.id == "b-99")
        // Of a room where nobody is, nothing is kept.
        state.remember(others, in: "nobody")
        #expect(state.history(of: "nobody").isEmpty)
    }
}
