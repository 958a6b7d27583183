import SocketIO
import Testing

@testable import socketio

/// What lines of `socketio connect` mean.
@Suite struct ConnectLineTests {
    private static func event(_ name: String, _ values: SocketIOValue...) -> TypedLine {
        .event(TypedEvent(name: name, arguments: values.map { .value($0) }))
    }

    @Test func events() throws {
        let cases: [(String, TypedLine)] = [
            ("", .nothing), (" \t ", .nothing),
            ("hello", Self.event("hello")),
            (#"echo "hi""#, Self.event("echo", "hi")),
            (#"  echo   1  -2.5e1 true false null  "#, Self.event("echo", 1, -25, true, false, nil)),
            (
                #"echo {"a":[1, {"b" : null}], "c":{}} [] {}"#,
                Self.event("echo", ["a": [1, ["b": nil]], "c": [:]], [], [:])
            ),
            (#""some event" "a \"b\" ü é 😀""#, Self.event("some event", "a \"b\" ü é 😀")),
            (#""/slash""#, Self.event("/slash")), (#""?""#, Self.event("?")),
            ("größe:1 1", Self.event("größe:1", 1)),
            ("a,b 1", Self.event("a,b", 1)),
            (
                "? ask 1",
                .event(TypedEvent(name: "ask", arguments: [.value(1)], wantsAnswer: true))
            ),
            ("?ask", .event(TypedEvent(name: "ask", wantsAnswer: true))),
            (#"/ack "ask me""#, .event(TypedEvent(name: "ask me", wantsAnswer: true))),
            (
                #"photo "x" @a/b.jpg @"with space" @-"#,
                .event(
                    TypedEvent(
                        name: "photo", arguments: [.value("x"), .file("a/b.jpg"), .file("with space"), .file("-")]))
            ),
            ("/help", .command(.help)), (" /quit ", .command(.quit)), ("/exit", .command(.quit)),
            ("/connect", .command(.connect)), ("/disconnect", .command(.disconnect)),
        ]
        for (line, meaning) in cases { #expect(try TypedLine(line) == meaning, "\(line)") }
    }

    /// Where the place is, and a part of the message.
    private static let faults: [(String, Int, String)] = [
        ("echo hi", 5, #"double quotes: "hi""#), ("echo 'hi'", 5, "double quotes"),
        (#"echo {"a":}"#, 10, "a value"), (#"echo {"a":1"#, 11, "\"}\" is missing"), ("echo {a:1}", 6, "a key"),
        (#"echo {"a" 1}"#, 10, "\":\""), ("echo [1,]", 8, "a value"), ("echo [1 2]", 8, "\",\" or \"]\""),
        (#"echo {"a":1 "b":2}"#, 12, "\",\" or \"}\""), ("echo [", 6, "a value"), ("echo [1,2", 9, "\"]\" is missing"),
        (#"echo "open"#, 5, "no closing quote"), (#"echo "a\x""#, 7, "escape"), (#"echo "\u12g4""#, 6, "hexadecimal"),
        ("echo \"a\tb\"", 7, "control character"), ("echo 01", 5, "begin with 0"), ("echo 1.", 5, "number"),
        ("echo -", 5, "number"), ("echo 1e", 5, "number"), ("echo 1,2", 6, "no comma"), (#"echo 1"a""#, 6, "space"),
        (#"echo"hi""#, 4, "space"), (#""echo""hi""#, 6, "space"), ("echo @", 6, "file"), ("{}", 0, "name comes first"),
        ("[1]", 0, "name comes first"), ("@x", 0, "name comes first"), ("?", 1, "name is missing"),
        ("/ack ", 5, "name is missing"), ("/nope", 0, "no such command"), ("/quit now", 6, "nothing may follow"),
        ("connect 1", 0, "protocol"), (#""disconnect""#, 0, "protocol"), (#""open"#, 0, "no closing quote"),
        ("e \u{E4}\u{1F600}", 2, "no JSON"), ("e \"ä\" x", 7, "no JSON"), ("e ]", 2, "a value"), ("e :", 2, "a value"),
        ("e " + String(repeating: "[", count: 65), 66, "brackets"),
    ]

    @Test func faultsPointAtTheirPlace() {
        for (line, offset, message) in Self.faults {
            do throws(LineFault) {
                let meaning = try TypedLine(line)
                Issue.record("\(line): \(meaning)")
            } catch {
                #expect(error.offset == offset, "\(line): \(error)")
                #expect(error.message.contains(message), "\(line): \(error)")
            }
        }
    }

    @Test func theDeepestThatIsTaken() throws {
        let depth = JSONProbe.maxDepth
        let text = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        guard case .event(let event) = try TypedLine("e " + text) else { throw Unexpected() }
        #expect(event.arguments.count == 1)
    }

    private struct Unexpected: Error {}

    /// Whatever is typed, there is a meaning or a fault within the line, and what the probe passes the decoder takes.
    @Test func anyBytes() throws {
        var generator = SplitMix(seed: 7)
        let alphabet = Array("{}[]\",:\\ \t@/?-0123.eEtruefalsnu'ü😀\u{0}\u{1B}\u{9B}")
        for _ in 0..<20_000 {
            let line = String(
                (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                    alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
                })
            do throws(LineFault) { _ = try TypedLine(line) } catch {
                #expect((0...line.utf8.count).contains(error.offset), "\(line)")
                #expect(error.message != "this is no JSON", "\(line)")
                #expect(error.pointing(into: line).allSatisfy { $0.unicodeScalars.allSatisfy { $0.value >= 0x20 } })
            }
        }
    }

    @Test func thePlaceIsShown() {
        #expect(
            LineFault(10, "wrong").pointing(into: #"echo {"a":}"#) == [#"echo {"a":}"#, "          ^ wrong"])
        // Wide characters, and what a terminal must not get.
        #expect(LineFault(9, "x").pointing(into: "e \"日本\u{1B}") == ["e \"日本\\u001b", "       ^ x"])
        let long = "e " + String(repeating: "x", count: 500) + "!" + String(repeating: "y", count: 500)
        let lines = LineFault(502, "here").pointing(into: long, columns: 60)
        #expect(lines[0].count <= 60)
        let caret = lines[1].prefix { $0 == " " }.count
        #expect(Array(lines[0])[caret] == "!")
    }

    @Test func pipesAreCutIntoLines() {
        var splitter = LineSplitter()
        #expect(splitter.feed(Array("a\nb".utf8)) == ["a"])
        #expect(splitter.feed(Array("c\n\nd\r\n".utf8)) == ["bc", "d\r"])
        #expect(splitter.end() == [])
        #expect(splitter.feed(Array("last".utf8)) == [])
        #expect(splitter.end() == ["last"])
    }
}

/// The same numbers every time.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var value = self.state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
