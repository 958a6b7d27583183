import FuzzSupport
import NIOCore
import NIOEmbedded
import NIOHTTP1

@testable import EngineIOCore

/// Requests. However the stream is cut the same is made of it; what is accepted SwiftNIO's decoder accepts too, with the same
/// meaning; everything that the server reads of a head can be read.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    let seed = input.option()
    let stream = input.rest
    let whole = parse([stream])
    demand(parse(stream.pieces(seed: seed)) == whole, "another result in pieces")
    verdict("\(whole)")
    compare(whole, stream)
    return 0
}

struct Parsed: Equatable {
    var requests: [Request] = []
    var error: HTTPRequestError?
}

struct Request: Equatable {
    var method: String
    var target: String
    var isHTTP10: Bool
    var fields: [String]
    var body: [UInt8] = []
    var isComplete = false

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
        // SwiftNIO leaves white space at the end of a value, which RFC 9112 §5 excludes.
        self.fields = head.headers.map { name, value in
            let end = value.utf8.reversed().prefix { $0 == 0x20 || $0 == 0x09 }.count
            return "\(name): \(value.dropLast(end))"
        }
    }

    /// Whether the connection serves no other request behind it.
    var isLast: Bool {
        let fields = self.fields.map { $0.lowercased() }
        let connection = fields.filter { $0.hasPrefix("connection:") }.joined(separator: ",")
        return self.method == "CONNECT" || fields.contains { $0.hasPrefix("upgrade:") }
            || connection.contains("close") || (self.isHTTP10 && !connection.contains("keep-alive"))
    }
}

private func parse(_ pieces: [ByteBuffer]) -> Parsed {
    var parser = HTTPRequestParser(limits: HTTPLimits())
    var result = Parsed()
    for piece in pieces {
        var buffer = piece
        do throws(HTTPRequestError) {
            while let part = try parser.next(from: &buffer) {
                switch part {
                case .head(let head):
                    result.requests.append(Request(head))
                    look(at: head)
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

private let proxies = ["127.0.0.0/8", "10.0.0.0/8", "2001:db8::/32"].compactMap { IPNetwork($0) }

/// What the server asks a head for.
private func look(at head: RequestHead) {
    let query = QueryParameters(head)
    for (key, value) in query.pairs.prefix(8) {
        demand(query[key] != nil, "a key without a value")
        demand(PercentCoding.encode(value).utf8.allSatisfy { $0 < 0x80 }, "encoded text that is no ASCII")
    }
    demand(query.dictionary.count <= QueryParameters.maxPairs, "more parameters than the limit")
    _ = (query.eio, query.transport, query.sid, query.wantsBase64, query.jsonp)
    _ = head.first("origin").map { RequestOrigin.isValid($0) }
    let client = ForwardedAddress.client(
        peer: "127.0.0.1", headers: head.values("forwarded"), xForwardedFor: head.values("x-forwarded-for"),
        trusted: proxies)
    demand(IPAddress(client) != nil, "a client without an address")
    _ = (head.first("cookie"), head.first("sec-websocket-key"), head.isKeepAlive, head.wantsWebSocket)
}

/// What is complete for us is complete for SwiftNIO, in the same order and with the same parts.
private func compare(_ ours: Parsed, _ stream: ByteBuffer) {
    let complete = ours.requests.filter(\.isComplete)
    guard !complete.isEmpty else { return }
    let theirs = parseWithNIO(stream).filter(\.isComplete)
    for (index, request) in complete.enumerated() {
        // Behind these SwiftNIO's decoder reads nothing, nor does the server.
        if index > 0, complete[index - 1].isLast { return }
        demand(index < theirs.count, "only we accept \(request)")
        demand(theirs[index] == request, "\(theirs[index]) or \(request)")
    }
}

private func parseWithNIO(_ bytes: ByteBuffer) -> [Request] {
    let channel = EmbeddedChannel()
    defer { _ = try? channel.finish() }
    var requests: [Request] = []
    do {
        let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes))
        try channel.pipeline.syncOperations.addHandler(decoder)
        try channel.writeInbound(bytes)
        try channel.throwIfErrorCaught()
    } catch {}
    while let part = try? channel.readInbound(as: HTTPServerRequestPart.self) {
        switch part {
        case .head(let head): requests.append(Request(head))
        case .body(let bytes): requests[requests.count - 1].body += bytes.readableBytesView
        case .end: requests[requests.count - 1].isComplete = true
        }
    }
    return requests
}
