import ArgumentParser
import NIOCore
import SocketIO
import Testing

@testable import socketio

/// What `socketio connect` shows.
@Suite struct ConnectPrinterTests {
    private static func printer(isColoured: Bool = false, isJSON: Bool = false) -> TranscriptPrinter {
        TranscriptPrinter(palette: Palette(isColoured: isColoured), isJSON: isJSON) { "t\($0)" }
    }

    private func line(_ kind: Occurrence.Kind, isJSON: Bool = false) -> String {
        Self.printer(isJSON: isJSON).line(Occurrence(milliseconds: 1_700_000_000_123, kind: kind)).text
    }

    @Test func lines() {
        let cases: [(Occurrence.Kind, String)] = [
            (.event("hello", []), "< hello"),
            (.event("some event", [1, "x", ["a": [true, nil]]]), #"< "some event" 1 "x" {"a":[true,null]}"#),
            (.sent("größe:1", [2.5]), "> größe:1 2.5"),
            (.answer(to: "?", ["ok"]), #"= "?" "ok""#),
            (.event("", []), #"< """#), (.event("/quit", []), #"< "/quit""#), (.event("a,b", []), #"< "a,b""#),
            (.connected(id: "abc", transport: "polling", isRecovered: false), "connected over polling, id abc"),
            (
                .connected(id: "abc", transport: "websocket", isRecovered: true),
                "connected over websocket, id abc, with what was missed"
            ),
            (.upgraded, "upgraded to websocket"),
            (.disconnected("transport close", willReconnect: true), "disconnected: transport close; connecting again"),
            (.disconnected("io server disconnect", willReconnect: false), "disconnected: io server disconnect"),
            (.reconnecting(attempt: 3), "connecting again, attempt 3"),
            (.notConnected("why"), "not connected: why"), (.failure("why"), "why"), (.note("so"), "so"),
            (.unanswered("why"), "why"),
        ]
        for (kind, text) in cases { #expect(self.line(kind) == "t1700000000123 " + text) }
    }

    /// What is shown can be typed again.
    @Test func linesAreInTheGrammarOfWhatIsTyped() throws {
        let values: [SocketIOValue] = [1, "a \"b\" \\ \u{1B}\u{9B}\n ü 😀", ["k\u{7}": [nil, true, -1.5e300]], [], [:]]
        for name in ["echo", "some event", "/x", "?", "\u{1B}[2J", "", "[", "@"] {
            let shown = String(self.line(.event(name, values)).dropFirst("t1700000000123 < ".count))
            #expect(
                try TypedLine(shown) == .event(TypedEvent(name: name, arguments: values.map { .value($0) })), "\(shown)"
            )
        }
    }

    @Test func jsonLines() {
        let bytes = ByteBuffer(bytes: [0, 255, 10])
        #expect(
            self.line(.event("echo", ["hi", .binary(bytes)]), isJSON: true)
                == #"{"time":"2023-11-14T22:13:20.123Z","type":"event","event":"echo","args":["hi",{"$binary":"AP8K","bytes":3}]}"#
        )
        #expect(
            self.line(.answer(to: "a b", []), isJSON: true)
                == #"{"time":"2023-11-14T22:13:20.123Z","type":"ack","event":"a b","args":[]}"#)
        #expect(self.line(.upgraded, isJSON: true) == "t1700000000123 upgraded to websocket")
    }

    @Test func onlyEventsAndAnswersAreResults() {
        let printer = Self.printer()
        func isResult(_ kind: Occurrence.Kind) -> Bool {
            printer.line(Occurrence(milliseconds: 0, kind: kind)).isResult
        }
        #expect(isResult(.event("a", [])))
        #expect(isResult(.answer(to: "a", [])))
        #expect(!isResult(.sent("a", [])))
        #expect(!isResult(.note("a")))
        #expect(!isResult(.failure("a")))
        #expect(!isResult(.disconnected("a", willReconnect: true)))
    }

    @Test func longBinaryDataIsCutForPeopleOnly() {
        let bytes = ByteBuffer(repeating: 0, count: 1000)
        let shown = self.line(.event("photo", [.binary(bytes)]))
        #expect(shown.hasSuffix("AAAA…\",\"bytes\":1000}"))
        #expect(shown.count < 120)
        let json = self.line(.event("photo", [.binary(bytes)]), isJSON: true)
        #expect(json.count > 1336)
        #expect(!json.contains("…"))
    }

    @Test func colours() {
        let line = Self.printer(isColoured: true).line(
            Occurrence(milliseconds: 5, kind: .event("a", [["k": 1], "s", nil]))
        ).text
        #expect(
            line == "\u{1B}[2mt5\u{1B}[0m \u{1B}[32m<\u{1B}[0m \u{1B}[1ma\u{1B}[0m "
                + "{\u{1B}[34m\"k\"\u{1B}[0m:\u{1B}[93m1\u{1B}[0m} \u{1B}[92m\"s\"\u{1B}[0m \u{1B}[95mnull\u{1B}[0m")
        func isColoured(_ isTerminal: Bool, _ environment: [String: String]) -> Bool {
            Palette.choose(isTerminal: isTerminal, environment: environment).isColoured
        }
        #expect(isColoured(true, ["TERM": "xterm"]))
        #expect(isColoured(true, ["TERM": "xterm", "NO_COLOR": ""]))
        #expect(!isColoured(true, ["TERM": "xterm", "NO_COLOR": "1"]))
        #expect(!isColoured(true, ["TERM": "dumb"]))
        #expect(!isColoured(false, ["TERM": "xterm"]))
    }

    /// Nothing that a server says reaches the terminal as anything but characters of one line.
    @Test func serversCannotControlTheTerminal() {
        let controls = (0..<0x20).map { UInt32($0) } + [0x7F] + (0x80...0x9F).map { UInt32($0) }
        let others: [UInt32] = [0x2028, 0x2029, 0x202E, 0x2066, 0x200F, 0x061C, 0xFEFF, 0xAD, 0xE0041]
        let evil = "a" + String(String.UnicodeScalarView((controls + others).compactMap { Unicode.Scalar($0) })) + "z"
        let kinds: [Occurrence.Kind] = [
            .event(evil, [.string(evil), .object([evil: .string(evil)]), [[.string(evil)]]]),
            .answer(to: evil, [.string(evil)]), .sent(evil, []),
            .connected(id: evil, transport: evil, isRecovered: false), .disconnected(evil, willReconnect: false),
            .notConnected(evil), .failure(evil), .note(evil),
        ]
        for isJSON in [false, true] {
            for kind in kinds {
                for scalar in self.line(kind, isJSON: isJSON).unicodeScalars {
                    let category = scalar.properties.generalCategory
                    #expect(category != .control && category != .format && category != .lineSeparator)
                }
            }
        }
        let refusal = ConnectErrors.explain(ConnectError(evil, data: [evil: .string(evil)]), namespace: evil)
        #expect(refusal.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
        #expect(
            SafeText.quote("\u{1B}[2J\u{9B}\"\\\u{202E}\u{E0041}\n\r\t")
                == #""\u001b[2J\u009b\"\\\u202e\udb40\udc41\n\r\t""#)
        // Families of emoji stay whole.
        #expect(SafeText.escape("👨‍👩‍👧 é") == "👨‍👩‍👧 é")
    }

    @Test func errorsInTheWordsOfTheCommand() {
        func explain(_ error: any Error) -> String { ConnectErrors.explain(error, namespace: "/chat") }
        #expect(
            explain(ConnectError("no", data: ["code": 1])) == #"the server refuses the namespace /chat: no {"code":1}"#)
        #expect(explain(CommandFailure("socketio: x: No such file")) == "x: No such file")
        #expect(
            explain(SocketIOError(.disconnected, "gone", cause: SocketIOError(.ackTimeout, "late"))) == "gone (late)")
    }

    // MARK: Options

    @Test func headers() {
        let cases: [(String, String, String)] = [
            ("A: b", "A", "b"), ("A:b", "A", "b"), ("X-y:", "X-y", ""), ("A:  b c: d ", "A", "b c: d "),
            ("a: ü", "a", "ü"),
        ]
        for (text, name, value) in cases {
            #expect(HeaderOption(argument: text)?.name == name)
            #expect(HeaderOption(argument: text)?.value == value)
        }
        for text in ["", "A", ": b", "A b: c", "A: b\r\nC: d", "A: \u{0}", "ü: a", "A : b"] {
            #expect(HeaderOption(argument: text) == nil, "\(text)")
        }
    }

    @Test func queriesAndTransports() {
        #expect(QueryOption(argument: "a=b=c&d")?.name == "a")
        #expect(QueryOption(argument: "a=b=c&d")?.value == "b=c&d")
        #expect(QueryOption(argument: "a=")?.value == "")
        #expect(QueryOption(argument: "=b") == nil)
        #expect(QueryOption(argument: "a") == nil)
        #expect(TransportsOption(argument: "websocket")?.transports == [.websocket])
        #expect(TransportsOption(argument: "polling,websocket")?.transports == [.polling, .websocket])
        for text in ["", "websocket,", "webtransport", "polling,polling"] {
            #expect(TransportsOption(argument: text) == nil, "\(text)")
        }
    }
}
