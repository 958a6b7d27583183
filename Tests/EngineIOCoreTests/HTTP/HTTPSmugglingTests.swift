import NIOCore
import Testing

@testable import EngineIOCore

/// Requests that are written so that two readers may understand them differently are not understood at all.
@Suite struct HTTPSmugglingTests {
    @Test(arguments: HTTPCorpus.refused.indices) func requestIsRefused(index: Int) {
        let (text, error) = HTTPCorpus.refused[index]
        let bytes = ByteBuffer(string: text)
        let whole = parseHTTP([bytes])
        #expect(whole.error == error, "\(text.debugDescription.prefix(200))")
        #expect(whole.complete.isEmpty)
        // One byte at a time the same is understood, and the same refused.
        let singly = parseHTTP(bytes.singly)
        #expect(singly.error == error)
        #expect(singly.complete.isEmpty)
        #expect((400...599).contains(error.status))
    }

    /// A valid request in front is not harmed, and nothing behind an error is read.
    @Test(arguments: HTTPCorpus.refused.indices) func nothingBehindAnErrorIsRead(index: Int) {
        let valid = "GET /first HTTP/1.1\r\nHost: a\r\n\r\n"
        let result = parseHTTP(valid + HTTPCorpus.refused[index].0 + valid)
        #expect(result.error != nil)
        #expect(result.complete.map(\.target) == ["/first"])
    }

    @Test func exactLimits() {
        var limits = HTTPLimits()
        limits.maxLineBytes = 40
        limits.maxHeadBytes = 100
        limits.maxFields = 3
        let line = "GET /" + String(repeating: "a", count: 26) + " HTTP/1.1\r\n"
        let host = "Host: a\r\n"
        #expect(line.utf8.count == 42)
        #expect(parseHTTP(line + host + "\r\n", limits: limits).complete.count == 1)
        let longer = "GET /" + String(repeating: "a", count: 27) + " HTTP/1.1\r\n"
        #expect(parseHTTP(longer + host + "\r\n", limits: limits).error == .tooLarge)
        // 42 and 9 bytes, a field of 47 with its line end, and the empty line.
        let field = "X: " + String(repeating: "y", count: 37)
        #expect(parseHTTP(line + host + field + "\r\n\r\n", limits: limits).complete.count == 1)
        let rest = "X: " + String(repeating: "y", count: 2) + "\r\n"
        #expect(parseHTTP(line + host + field + "\r\n" + rest + "\r\n", limits: limits).error == .tooLarge)
        limits.maxHeadBytes = 1000
        let three = host + "A: b\r\nC: d\r\n"
        #expect(parseHTTP(line + three + "\r\n", limits: limits).complete.count == 1)
        #expect(parseHTTP(line + three + "E: f\r\n\r\n", limits: limits).error == .tooLarge)
    }

    /// An endless line is refused before it is kept as a whole.
    @Test func endlessLineIsNotKept() {
        var parser = HTTPRequestParser()
        var taken = 0
        #expect(throws: HTTPRequestError.tooLarge) {
            for _ in 0..<1000 {
                var piece = ByteBuffer(repeating: UInt8(ascii: "a"), count: 1024)
                _ = try parser.next(from: &piece)
                taken += 1024
            }
        }
        #expect(taken <= 17 << 10)
    }
}
