import NIOCore
import Testing

@testable import socketio

/// How `socketio doctor` reads answers and prints what it has found.
@Suite struct DoctorReportTests {
    // MARK: Printing

    @Test func linesForPeople() {
        let report = Report()
        #expect(report.lines(.ok(.dns, "a is 1.2.3.4")) == ["ok   DNS              a is 1.2.3.4"])
        let words = Array(repeating: "word", count: 20).joined(separator: " ")
        let lines = report.lines(.failure(.sessions, words, words))
        let indent = String(repeating: " ", count: 22)
        let first = Array(repeating: "word", count: 15).joined(separator: " ")
        #expect(
            lines == [
                "FAIL Sticky sessions  \(first)", "\(indent)word word word word word", "\(indent)-> \(first)",
                "\(indent)   word word word word word",
            ])
        #expect(lines.allSatisfy { $0.count <= 100 })
        let coloured = Report(palette: Palette(isColoured: true)).lines(.warning(.tcp, "a", "b"))
        #expect(coloured == ["\u{1B}[33mwarn\u{1B}[0m \u{1B}[1mTCP              \u{1B}[0ma", "\(indent)-> b"])
    }

    @Test func summaries() {
        let (ok, warning, failure) = (
            Finding.ok(.dns, ""), Finding.warning(.dns, "", ""), Finding.failure(.dns, "", "")
        )
        let cases: [([Finding], String)] = [
            ([ok], "All is well."), ([ok, warning], "It works, with 1 warning."),
            ([warning, warning], "It works, with 2 warnings."), ([failure, ok], "1 thing is wrong."),
            ([failure, failure, warning], "2 things are wrong, and 1 warning."),
        ]
        for (findings, text) in cases { #expect(Report().summary(findings) == text) }
    }

    @Test func lineForPrograms() {
        let findings = [Finding.ok(.url, "a \"b\""), .failure(.dns, "c", "d"), .skipped(.roundTrip, "e")]
        let steps = [
            #"{"step":"url","result":"ok","seen":"a \"b\""}"#,
            #"{"step":"dns","result":"failure","seen":"c","advice":"d"}"#,
            #"{"step":"round-trip","result":"skipped","seen":"e"}"#,
        ]
        #expect(
            Report().json("http://a", findings)
                == #"{"url":"http://a","ok":false,"steps":["# + steps.joined(separator: ",") + "]}")
    }

    // MARK: Reading

    private static func read(_ pieces: [String], ends: Bool = false) throws -> ProbeAnswer? {
        var reader = AnswerReader()
        for piece in pieces {
            if let answer = try reader.read(ByteBuffer(string: piece)) { return answer }
        }
        return ends ? try reader.end() : nil
    }

    @Test func answers() throws {
        let whole = "HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 3\r\na:  2 \r\n\r\nabc"
        let expected = ProbeAnswer(
            status: 200, headers: [("a", "1"), ("content-length", "3"), ("a", "2")], body: "abc")
        #expect(try Self.read([whole]) == expected)
        #expect(try Self.read(whole.map { String($0) }.flatMap { $0 == "\r\n" ? ["\r", "\n"] : [$0] }) == expected)
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
        #expect(try Self.read([chunked])?.text == "abc")
        #expect(try Self.read(["HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 204 No\r\n\r\n"])?.status == 204)
        #expect(try Self.read(["HTTP/1.0 200 OK\r\n\r\nab", "c"], ends: true)?.text == "abc")
        #expect(
            try Self.read(["HTTP/1.0 200 OK\r\n\r\n", String(repeating: "x", count: 100_000)])?.text.count == 65_536)
    }

    @Test func whatIsNoAnswer() {
        for text in ["SSH-2.0\r\n", "HTTP/1.1 x\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 2000 x\r\n\r\n"] {
            #expect(throws: WireFailure.notHTTP) { try Self.read([text]) }
        }
        #expect(throws: WireFailure.notHTTP) { try Self.read(["HTTP/1.1 200"], ends: true) }
        #expect(throws: WireFailure.closed) { try Self.read([], ends: true) }
        #expect(throws: WireFailure.notHTTP) {
            try Self.read(["HTTP/1.1 200 OK\r\n" + String(repeating: "a: b\r\n", count: 20_000)])
        }
        for size in ["x", "-1", "fffffffffffffffffff"] {
            #expect(throws: WireFailure.notHTTP) {
                try Self.read(["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(size)\r\n"])
            }
        }
    }
}
