/// Where a Redis server listens.
enum RedisAddress: Hashable, Sendable, CustomStringConvertible {
    case tcp(host: String, port: Int)
    case unix(path: String)

    var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): path
        }
    }
}

/// A Redis server, and how to speak to it, as users write it: `redis://[user[:password]@]host[:port][/database]`,
/// `rediss://` with TLS, `unix://` or `redis+unix://` with a path and perhaps `?db=1`.
struct RedisURL: Equatable, Sendable {
    var address: RedisAddress
    var isEncrypted = false
    var username: String?
    var password: String?
    var database = 0

    /// - Throws: `configuration`. The message does not repeat the text, which may hold a password.
    init(_ text: String) throws(RedisError) {
        guard let separator = text.firstRange(of: "://") else {
            throw Self.invalid("it has no scheme, such as redis://")
        }
        let scheme = text[..<separator.lowerBound].lowercased()
        var rest = text[separator.upperBound...]
        if let hash = rest.firstIndex(of: "#") { rest = rest[..<hash] }
        var query: Substring?
        if let mark = rest.firstIndex(of: "?") {
            query = rest[rest.index(after: mark)...]
            rest = rest[..<mark]
        }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let (authority, path) = (rest[..<slash], rest[slash...])
        var host = authority
        var credentials: Substring?
        if let at = authority.lastIndex(of: "@") {
            credentials = authority[..<at]
            host = authority[authority.index(after: at)...]
        }
        switch scheme {
        case "redis", "rediss":
            self.address = try Self.tcp(host)
            self.isEncrypted = scheme == "rediss"
            if path.count > 1 { self.database = try Self.database(path.dropFirst()) }
        case "unix", "redis+unix":
            guard host.isEmpty, path.count > 1 else {
                throw Self.invalid("a path must follow \(scheme)://, such as /run/redis.sock")
            }
            self.address = .unix(path: try Self.decoded(path, "path"))
        default: throw Self.invalid("the scheme is none of redis, rediss, unix and redis+unix")
        }
        if let credentials { try self.read(credentials: credentials) }
        if let query { try self.read(query: query) }
    }

    private mutating func read(credentials: Substring) throws(RedisError) {
        guard let colon = credentials.firstIndex(of: ":") else { throw Self.invalid("the user has no password") }
        let user = try Self.decoded(credentials[..<colon], "user")
        self.username = user.isEmpty ? nil : user
        self.password = try Self.decoded(credentials[credentials.index(after: colon)...], "password")
    }

    private mutating func read(query: Substring) throws(RedisError) {
        for parameter in query.split(separator: "&") {
            let parts = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0] == "db" else { throw Self.invalid("the only parameter is db") }
            self.database = try Self.database(parts[1])
        }
    }

    private static func tcp(_ text: Substring) throws(RedisError) -> RedisAddress {
        var host = text
        var port: Substring?
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { throw Self.invalid("the address in brackets does not end") }
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.first == ":" else {
                throw Self.invalid("something follows the address in brackets")
            }
            if !rest.isEmpty { port = rest.dropFirst() }
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        guard !host.isEmpty else { throw Self.invalid("it has no host") }
        let name = try Self.decoded(host, "host")
        guard let port else { return .tcp(host: name, port: 6379) }
        guard let number = Self.number(port), (1...65535).contains(number) else {
            throw Self.invalid("the port is no number from 1 to 65535 (an IPv6 address needs brackets)")
        }
        return .tcp(host: name, port: number)
    }

    private static func database(_ text: Substring) throws(RedisError) -> Int {
        guard let number = Self.number(text) else { throw Self.invalid("the database is no number") }
        return number
    }

    private static func number(_ text: Substring) -> Int? {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int(text) : nil
    }

    private static func decoded(_ text: Substring, _ what: String) throws(RedisError) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard
                let high = rest.popFirst().flatMap(Self.hexDigit), let low = rest.popFirst().flatMap(Self.hexDigit)
            else { throw Self.invalid("two hexadecimal digits must follow each % (\(what))") }
            bytes.append(high << 4 | low)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw Self.invalid("the \(what) is not UTF-8")
        }
        return decoded
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    private static func invalid(_ why: String) -> RedisError {
        RedisError(.configuration, "the URL of Redis is invalid: \(why)")
    }
}
