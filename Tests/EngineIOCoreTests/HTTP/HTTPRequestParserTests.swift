import NIOCore
import Testing

@testable import EngineIOCore

@Suite struct HTTPRequestParserTests {
    @Test func headIsReadFromItsBytes() throws {
        let text = """
            GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a:80\r\nOrigin:http://b\r\nX: \t y z \t\r\n\
            accept: a\r\nACCEPT: b\r\nEmpty:\r\n\r\n
            """
        var parser = HTTPRequestParser()
        var buffer = ByteBuffer(string: text + "GET ")
        guard case .head(let head) = try parser.next(from: &buffer) else { throw Unexpected() }
        #expect(head.method == .get)
        #expect(head.methodName == "GET")
        #expect(head.target == "/engine.io/?EIO=4&transport=polling")
        #expect(head.targetStarts(with: "/engine.io/"))
        #expect(!head.targetStarts(with: "/engine.io/?EIO=4&transport=polling HTTP"))
        #expect(head.framing == .none)
        #expect(head.isKeepAlive)
        #expect(head.facts.contains(.hasOrigin))
        #expect(head.first("origin") == "http://b")
        #expect(head.first("x") == "y z")
        #expect(head.first("y") == nil)
        #expect(head.first("empty")?.isEmpty == true)
        #expect(head.values("accept") == ["a", "b"])
        #expect(head.fields.map(\.0) == ["Host", "Origin", "X", "accept", "ACCEPT", "Empty"])
        #expect(String(decoding: head.bytes, as: UTF8.self) == text)
        guard case .end = try parser.next(from: &buffer) else { throw Unexpected() }
        // What belongs to the next request is taken, and waits.
        #expect(try parser.next(from: &buffer) == nil)
        #expect(buffer.readableBytes == 0)
    }

    private struct Unexpected: Error {}

    @Test func bodies() {
        let post = "POST / HTTP/1.1\r\nHost: a\r\n"
        let length = parseHTTP(post + "Content-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: b\r\n\r\n")
        #expect(length.error == nil)
        #expect(length.requests.map(\.body) == [Array("hello".utf8), []])
        #expect(length.complete.count == 2)
        let chunks = parseHTTP(
            post + """
                transfer-encoding: Chunked\r\n\r\n3\r\nhel\r\n02;a;b=c;d="e;\\"\t"\r\nlo\r\n00\r\nTrailer: x\r\n\r\n\
                GET / HTTP/1.1\r\nHost: b\r\n\r\n
                """)
        #expect(chunks.error == nil)
        #expect(chunks.requests.map(\.body) == [Array("hello".utf8), []])
        #expect(chunks.complete.count == 2)
        #expect(parseHTTP(post + "Content-Length: 0\r\n\r\n").complete.count == 1)
        #expect(parseHTTP(post + "Content-Length: 2\r\n\r\na").complete.isEmpty)
    }

    /// Nothing of a body is kept: it leaves as it comes.
    @Test func bodyIsHandedOutInPieces() throws {
        var parser = HTTPRequestParser()
        var head = ByteBuffer(string: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1099511627776\r\n\r\n")
        _ = try parser.next(from: &head)
        for _ in 0..<3 {
            var piece = ByteBuffer(string: "abc")
            guard case .body(let bytes) = try parser.next(from: &piece) else { throw Unexpected() }
            #expect(bytes == ByteBuffer(string: "abc"))
            #expect(try parser.next(from: &piece) == nil)
        }
    }

    @Test(arguments: [
        ("HTTP/1.1\r\nHost: a", true), ("HTTP/1.1\r\nHost: a\r\nConnection: close", false),
        ("HTTP/1.1\r\nHost: a\r\nConnection: x, Close", false), ("HTTP/1.0", false),
        ("HTTP/1.0\r\nConnection: Keep-Alive", true), ("HTTP/1.0\r\nConnection: keep-alive, close", false),
        ("HTTP/1.1\r\nHost: a\r\nConnection: closed", true),
    ])
    func keepAlive(rest: String, isKept: Bool) throws {
        var parser = HTTPRequestParser()
        var buffer = ByteBuffer(string: "GET / \(rest)\r\n\r\n")
        guard case .head(let head) = try parser.next(from: &buffer) else { throw Unexpected() }
        #expect(head.isKeepAlive == isKept)
    }

    @Test(arguments: [
        ("Connection: Upgrade\r\nUpgrade: websocket", true, true),
        ("Connection: keep-alive, upgrade\r\nUpgrade: h2c, WebSocket", true, true),
        ("Connection: keep-alive\r\nConnection: upgrade\r\nUpgrade: websocket", true, true),
        ("Upgrade: websocket", true, false), ("Connection: upgrade", false, false),
        ("Connection: upgrade\r\nUpgrade: websockets", true, false),
        ("Connection: upgrades\r\nUpgrade: websocket", true, false),
    ])
    func upgrade(fields: String, hasUpgrade: Bool, isWebSocket: Bool) throws {
        var parser = HTTPRequestParser()
        var buffer = ByteBuffer(string: "GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n")
        guard case .head(let head) = try parser.next(from: &buffer) else { throw Unexpected() }
        #expect(head.facts.contains(.hasUpgrade) == hasUpgrade)
        #expect(head.wantsWebSocket == isWebSocket)
    }

    @Test(arguments: [
        "/", "/?a={\"b\":1}|^`\\", "*", "http://a", "HTTP://a:80/b", "https://a?b", "https://[::1]:3/",
    ])
    func targets(target: String) {
        let result = parseHTTP("OPTIONS \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(result.complete.map(\.target) == [target])
    }

    /// RFC 9112 §2.2: one empty line in front of a request is skipped.
    @Test func emptyLineBeforeARequest() {
        let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        let result = parseHTTP("\r\n" + get + "\r\n" + get)
        #expect(result.complete.count == 2)
        #expect(result.error == nil)
        #expect(parseHTTP(ByteBuffer(string: "\r\n" + get).singly) == parseHTTP(get))
        #expect(parseHTTP("\r\n\r\n" + get).error == .badRequestLine)
    }

    @Test func errorStays() {
        var parser = HTTPRequestParser()
        var buffer = ByteBuffer(string: "GET  / HTTP/1.1\r\n")
        #expect(throws: HTTPRequestError.badRequestLine) { try parser.next(from: &buffer) }
        var valid = ByteBuffer(string: "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(throws: HTTPRequestError.badRequestLine) { try parser.next(from: &valid) }
    }

    /// The same bytes mean the same however they are cut.
    @Test func piecesDoNotMatter() {
        let stream = ByteBuffer(string: HTTPCorpus.stream)
        let whole = parseHTTP([stream])
        #expect(whole.complete.count == HTTPCorpus.valid.count)
        #expect(parseHTTP(stream.singly) == whole)
        for cut in 0...stream.readableBytes { #expect(parseHTTP(stream.cut(at: [cut])) == whole) }
    }
}
