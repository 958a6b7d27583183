import Testing

@testable import EngineIOCore

@Suite struct QueryParametersTests {
    /// The results are those of the reference's platform.
    @Test(arguments: [
        ("a=1&a=2", ["a": "2"]), ("a", ["a": ""]), ("=x", ["": "x"]), ("&&", [:]), ("a=%zz", ["a": "%zz"]),
        ("a=%e2%82", ["a": "\u{FFFD}"]), ("a=%E2%82%AC", ["a": "\u{20AC}"]), ("a+b=c+d", ["a b": "c d"]),
        ("a=b=c", ["a": "b=c"]), ("%45IO=4", ["EIO": "4"]), ("a=%", ["a": "%"]), ("a=%4", ["a": "%4"]),
        ("a=1;b=2", ["a": "1;b=2"]), ("a=%00", ["a": "\0"]), ("a&b", ["a": "", "b": ""]),
        ("a=&b=", ["a": "", "b": ""]),
        ("\u{E9}=1", ["\u{E9}": "1"]), ("a=%e9%41", ["a": "\u{FFFD}A"]), ("", [:]), ("a=?", ["a": "?"]),
        ("&a=1&&b=2&", ["a": "1", "b": "2"]), ("=", ["": ""]), ("a=%2B%26%3D", ["a": "+&="]),
    ])
    func parsing(query: String, expected: [String: String]) {
        let parameters = QueryParameters(uri: "/socket.io/?" + query)
        #expect(parameters.dictionary == expected)
        for (key, value) in expected { #expect(parameters[key] == value) }
        #expect(parameters["missing"] == nil)
        #expect(!parameters.exceedsLimits)
    }

    @Test func protocolKeys() {
        let parameters = QueryParameters(uri: "/socket.io/?user=x&EIO=4&transport=polling&t=abc&sid=s1&b64=1&j=0")
        #expect(parameters.eio == "4")
        #expect(parameters.transport == "polling")
        #expect(parameters.sid == "s1")
        #expect(parameters.wantsBase64)
        #expect(parameters.jsonp == "0")
        #expect(parameters["t"] == "abc")
        #expect(parameters.pairs.map(\.key) == ["user", "EIO", "transport", "t", "sid", "b64", "j"])
    }

    @Test func emptyAndMissing() {
        let missing = QueryParameters(uri: "/socket.io/")
        #expect(missing.eio == nil)
        #expect(missing.transport == nil)
        #expect(missing.sid == nil)
        #expect(!missing.wantsBase64)
        #expect(missing.jsonp == nil)
        #expect(missing.pairs.isEmpty)
        let empty = QueryParameters(uri: "?sid=&b64=&j&transport")
        #expect(empty.sid == nil)
        #expect(!empty.wantsBase64)
        #expect(empty.jsonp == "")
        #expect(empty.transport == "")
    }

    @Test func lastOneCountsAndKeysAreDecoded() {
        let parameters = QueryParameters(uri: "/?EIO=3&%45%49O=4&sid=a&si%64=b%20c&eio=9")
        #expect(parameters.eio == "4")
        #expect(parameters.sid == "b c")
        #expect(parameters["EIO"] == "4")
        #expect(parameters["E%49O"] == nil)
        #expect(QueryParameters(uri: "/?a+b=1")["a+b"] == nil)
    }

    @Test func hostileKeys() {
        let parameters = QueryParameters(uri: "/?__proto__=1&constructor=2&hasOwnProperty=3")
        #expect(parameters["__proto__"] == "1")
        #expect(parameters.dictionary.count == 3)
    }

    @Test func bounds() {
        let pairs = { (count: Int) in "/?" + (0..<count).map { "k\($0)=\($0)" }.joined(separator: "&") }
        let most = QueryParameters(uri: pairs(256))
        #expect(most.dictionary.count == 256)
        #expect(!most.exceedsLimits)
        let over = QueryParameters(uri: pairs(257) + "&sid=x")
        #expect(over.dictionary.count == 256)
        #expect(over.exceedsLimits)
        #expect(over.sid == nil)
        let long = QueryParameters(uri: "/?EIO=4&x=" + String(repeating: "y", count: 20_000) + "&sid=z")
        #expect(long.exceedsLimits)
        #expect(long.eio == "4")
        #expect(long.sid == nil)
        let exact = QueryParameters(uri: "/?" + String(repeating: "y", count: QueryParameters.maxBytes))
        #expect(!exact.exceedsLimits)
    }

    @Test func anyText() {
        var generator = SeededGenerator(state: 8)
        let alphabet = Array("aEIOsid&&==%%+?#4\u{E9}\u{1F600}2")
        for _ in 0..<3000 {
            let count = Int.random(in: 0...40, using: &generator)
            let uri = String((0..<count).compactMap { _ in alphabet.randomElement(using: &generator) })
            let parameters = QueryParameters(uri: uri)
            var expected: [String: String] = [:]
            for (key, value) in parameters.pairs { expected[key] = value }
            #expect(parameters.dictionary == expected)
            for (key, value) in expected { #expect(parameters[key] == value) }
            #expect(parameters.eio == expected["EIO"])
        }
    }
}
