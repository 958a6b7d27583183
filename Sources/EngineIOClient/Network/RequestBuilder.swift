import EngineIOCore
import NIOCore
import NIOHTTP1

/// The requests of one connection: targets and headers.
struct RequestBuilder {
    typealias Transport = EngineClientConfiguration.Transport

    private let path: String
    private let query: String
    private let isSecure: Bool
    private let userHeaders: HTTPHeaders
    private let userCookie: String?
    private let cookies: CookieJar
    /// Makes every polling URL another one, for caches that keep what they should not.
    private var counter = UInt64.random(in: 0..<1 << 48)

    /// The headers that the protocol needs for itself.
    private static let reserved: Set<String> = [
        "connection", "upgrade", "content-length", "transfer-encoding", "accept-encoding", "te", "trailer", "expect",
        "sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions", "sec-websocket-protocol",
        "sec-websocket-accept", "content-type",
    ]

    init(_ configuration: EngineClientConfiguration, cookies: CookieJar) throws(EngineClientError) {
        self.isSecure = configuration.url.isSecure
        self.cookies = cookies
        let path = configuration.path.hasPrefix("/") ? configuration.path : "/" + configuration.path
        self.path = Self.encodePath(EndpointPath(path).value)
        self.query = configuration.query.map { name, value in
            "\(PercentCoding.encode(name))=\(PercentCoding.encode(value))&"
        }.joined()
        var headers = HTTPHeaders([
            ("Host", configuration.url.authority), ("Accept", "*/*"), ("User-Agent", "swift-socketio"),
        ])
        var cookie: String?
        var replaced: Set<String> = []
        for (name, value) in configuration.extraHeaders {
            let lowercased = name.lowercased()
            guard Self.isValid(name: name), Self.isValid(value: value), !Self.reserved.contains(lowercased) else {
                throw EngineClientError(
                    .invalidConfiguration,
                    "the header \"\(name)\" can't be sent: it has characters that HTTP forbids, or is the protocol's own"
                )
            }
            if lowercased == "cookie" {
                cookie = cookie.map { $0 + "; " + value } ?? value
            } else if ["host", "accept", "user-agent"].contains(lowercased), replaced.insert(lowercased).inserted {
                headers.replaceOrAdd(name: name, value: value)
            } else {
                headers.add(name: name, value: value)
            }
        }
        self.userHeaders = headers
        self.userCookie = cookie
    }

    mutating func target(_ transport: Transport, sid: String?) -> String {
        var target = "\(self.path)?\(self.query)EIO=4&transport=\(transport.rawValue)"
        if transport == .polling {
            self.counter &+= 1
            target += "&t=" + String(self.counter, radix: 36)
        }
        if let sid { target += "&sid=" + PercentCoding.encode(sid) }
        return target
    }

    mutating func poll(sid: String?) -> HTTPRequest {
        HTTPRequest(method: .GET, target: self.target(.polling, sid: sid), headers: self.headers(), body: nil)
    }

    mutating func post(_ body: ByteBuffer, sid: String?) -> HTTPRequest {
        var headers = self.headers()
        headers.add(name: "Content-Type", value: "text/plain;charset=UTF-8")
        headers.add(name: "Content-Length", value: String(body.readableBytes))
        return HTTPRequest(
            method: .POST, target: self.target(.polling, sid: sid), headers: headers, body: body)
    }

    mutating func webSocket(key: String, sid: String?) -> HTTPRequest {
        var headers = self.headers()
        headers.add(name: "Connection", value: "Upgrade")
        headers.add(name: "Upgrade", value: "websocket")
        headers.add(name: "Sec-WebSocket-Version", value: "13")
        headers.add(name: "Sec-WebSocket-Key", value: key)
        return HTTPRequest(method: .GET, target: self.target(.websocket, sid: sid), headers: headers, body: nil)
    }

    /// Keeps the cookies that came with an answer.
    func store(_ headers: HTTPHeaders) {
        self.cookies.store(headers["set-cookie"], requestPath: self.path, now: WallClock.now)
    }

    private func headers() -> HTTPHeaders {
        var headers = self.userHeaders
        let kept = self.cookies.header(path: self.path, isSecure: self.isSecure, now: WallClock.now)
        let all = [self.userCookie, kept].compactMap { $0 }
        if !all.isEmpty { headers.add(name: "Cookie", value: all.joined(separator: "; ")) }
        return headers
    }

    private static func isValid(name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }

    private static func isValid(value: String) -> Bool {
        value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
    }

    /// Encodes what a path can't hold, and leaves what is encoded already.
    private static func encodePath(_ path: String) -> String {
        var result = ""
        for scalar in path.unicodeScalars {
            if scalar.value <= 0x20 || scalar.value >= 0x7F || "\"<>?#\\^`{|}".unicodeScalars.contains(scalar) {
                result += PercentCoding.encode(String(scalar))
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

struct HTTPRequest {
    var method: HTTPMethod
    var target: String
    var headers: HTTPHeaders
    var body: ByteBuffer?
}

struct HTTPAnswer {
    var head: HTTPResponseHead
    var body: ByteBuffer
}
