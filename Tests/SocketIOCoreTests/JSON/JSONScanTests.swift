import NIOCore
import Testing

@testable import SocketIOCore

@Suite struct JSONScanTests {
    private func scan(_ text: String, maxDepth: Int = 256) -> Result<JSONScan.Summary, JSONScan.Failure> {
        Array(text.utf8).withUnsafeBytes { JSONScan.scan($0, maxDepth: maxDepth) }
    }

    private func accepts(_ text: String) -> Bool {
        if case .success = self.scan(text) { true } else { false }
    }

    @Test(arguments: [
        "null", "true", "false", "0", "-0", "12", "-1.5", "1e5", "1E+5", "1.0e-10", "1e400", #""""#, #""a""#, "[]",
        "{}",
        " [ ] ", "\t{\n}\r ", "[1,2]", #"{"a":1,"b":[{}]}"#, #"{"a" : 1 , "b" : 2}"#, #"["\"\\\/\b\f\n\r\t\u00eF"]"#,
        #"["\ud800"]"#, "[[],[[]],{}]", "\"\u{7F}\u{2028}\"", #"{"":{"":""}}"#, "[ 1 , 2 ]",
    ])
    func wellFormed(_ text: String) {
        #expect(self.accepts(text))
    }

    @Test(arguments: [
        "", " ", "nul", "nulll", "True", "undefined", "NaN", "Infinity", "-Infinity", "01", "-", "-a", "+1", ".5", "1.",
        "1.e5", "1e", "1e+", "00", "-01", "0x1", "1_0", "\"", #""\"#, #""\""#, #""\x""#, #""\u12""#, #""\u12g4""#,
        "\"\n\"", "\"\u{1}\"", "'a'", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1,,2]", "{", "}", "{]", "[}",
        "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}", "{1:1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "[1]]", "[1]x",
        "1 2", "\u{FEFF}1", "[1]\u{0}", "\u{A0}1", "//c\n1", "[1]//", "{\"a\":1}}", "[\"a\":1]", "{\"a\",1}", "\"\t\"",
    ])
    func malformed(_ text: String) {
        #expect(self.scan(text).failure == .malformed)
    }

    @Test func depth() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let text = { (depth: Int) in
                String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
            }
            #expect(self.scan(text(256)).failure == nil)
            #expect(self.scan(text(257)).failure == .tooDeep)
            #expect(self.scan(text(3), maxDepth: 2).failure == .tooDeep)
            #expect(self.scan(text(1), maxDepth: 0).failure == .tooDeep)
            #expect(self.scan(text(100_000)).failure == .tooDeep)
            #expect(self.scan(text(5000), maxDepth: 5000).failure == nil)
        }
        #expect(self.scan("1", maxDepth: 0).failure == nil)
    }

    @Test func summary() throws {
        let text = #"  [ "a\n" , {"b":[1,2]}, [3] ] "#
        let summary = try self.scan(text).get()
        #expect(summary.kind == .array && summary.count == 3)
        #expect(summary.range == 2..<text.utf8.count - 1)
        let first = try #require(summary.first)
        #expect(first.kind == .string && first.isEscaped && first.range == 5..<8)
        let nested = try #require(try self.scan("[[1,[2]],3]").get().first)
        #expect(nested.kind == .array && nested.range == 1..<8)
        #expect(try self.scan("[]").get().first == nil)
        #expect(try self.scan(#"{"a":["b"]}"#).get().first == nil)
        #expect(try self.scan("[{},1]").get().first?.range == 1..<3)
    }

    /// Every prefix of a text is refused, and every byte of it is looked at.
    @Test func prefixesAndBytes() {
        let text = Array(#"[{"a\u0041":[1.5e+3,-0,true,false,null,"x"]},[]]"#.utf8)
        for length in 0..<text.count {
            let prefix = Array(text[..<length])
            #expect(prefix.withUnsafeBytes { JSONScan.scan($0) }.failure == .malformed)
        }
        for index in text.indices {
            var changed = text
            changed[index] = 0
            #expect(changed.withUnsafeBytes { JSONScan.scan($0) }.failure == .malformed)
        }
    }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}
