import NIOCore
import NIOEmbedded
import NIOHTTP1

@testable import EngineIOCore

/// A request as a parser has understood it.
struct ParsedRequest: Equatable {
    var method: String
    var target: String
    var isHTTP10: Bool
    var fields: [String]
    var body: [UInt8] = []
    var isComplete = false

    /// Whether the connection serves no other request of HTTP behind it.
    var isLast: Bool {
        let options = self.fields.filter { $0.lowercased().hasPrefix("connection:") }.flatMap { field in
            field.dropFirst("connection:".count).split(separator: ",").map { item in
                let start = item.drop { $0 == " " || $0 == "\t" }
                let end = start.reversed().prefix { $0 == " " || $0 == "\t" }.count
                return start.dropLast(end).lowercased()
            }
        }
        return self.method == "CONNECT" || self.fields.contains { $0.lowercased().hasPrefix("upgrade:") }
            || options.contains("close") || (self.isHTTP10 && !options.contains("keep-alive"))
    }

    init(_ head: RequestHead) {
        self.method = head.methodName
        self.target = head.target
        self.isHTTP10 = head.isHTTP10
        self.fields = head.fields.map { "\($0.0): \($0.1)" }
    }

    init(_ head: HTTPRequestHead) {
        self.method = head.method.rawValue
        self.target = head.uri
        self.isHTTP10 = head.version == .http1_0
        // NIO leaves white space at the end of a value, which RFC 9112 §5 excludes.
        self.fields = head.headers.map { name, value in
            let end = value.utf8.reversed().prefix { $0 == 0x20 || $0 == 0x09 }.count
            return "\(name): \(value.dropLast(end))"
        }
    }
}

struct ParseResult: Equatable {
    var requests: [ParsedRequest] = []
    var error: HTTPRequestError?

    /// The requests that are there as a whole.
    var complete: [ParsedRequest] { self.requests.filter(\.isComplete) }
}

/// Parses what comes in these pieces.
func parseHTTP(_ pieces: [ByteBuffer], limits: HTTPLimits = HTTPLimits()) -> ParseResult {
    var parser = HTTPRequestParser(limits: limits)
    var result = ParseResult()
    for piece in pieces {
        var buffer = piece
        do throws(HTTPRequestError) {
            while let part = try parser.next(from: &buffer) {
                switch part {
                case .head(let head): result.requests.append(ParsedRequest(head))
                case .body(let bytes): result.requests[result.requests.count - 1].body += bytes.readableBytesView
                case .end: result.requests[result.requests.count - 1].isComplete = true
                }
            }
        } catch {
            result.error = error
            return result
        }
    }
    return result
}

func parseHTTP(_ text: String, limits: HTTPLimits = HTTPLimits()) -> ParseResult {
    parseHTTP([ByteBuffer(string: text)], limits: limits)
}

extension ByteBuffer {
    /// Each byte alone, in storage of its own.
    var singly: [ByteBuffer] { self.readableBytesView.map { ByteBuffer(bytes: [$0]) } }
}

/// What NIO's decoder makes of the same bytes. It stops behind a request that asks for another protocol.
func parseWithNIO(_ bytes: ByteBuffer) -> (requests: [ParsedRequest], failed: Bool) {
    let channel = EmbeddedChannel()
    defer { _ = try? channel.finish() }
    var requests: [ParsedRequest] = []
    var failed = false
    do {
        let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes))
        try channel.pipeline.syncOperations.addHandler(decoder)
        try channel.writeInbound(bytes)
        try channel.throwIfErrorCaught()
    } catch {
        failed = true
    }
    while let part = try? channel.readInbound(as: HTTPServerRequestPart.self) {
        switch part {
        case .head(let head): requests.append(ParsedRequest(head))
        case .body(let bytes): requests[requests.count - 1].body += bytes.readableBytesView
        case .end: requests[requests.count - 1].isComplete = true
        }
    }
    return (requests, failed)
}
