/// The forms of a request target (RFC 9112 §3.2).
enum RequestTarget {
    /// The bytes are neither control characters nor spaces.
    static func isValid(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, method: RequestHead.Method) -> Bool {
        guard let first = range.first.map({ bytes[$0] }) else { return false }
        if method == .connect {
            return bytes[range].allSatisfy(HTTPBytes.isAuthority)
        }
        // A fragment is no part of it, and what is not ASCII must be encoded.
        if bytes[range].contains(where: { $0 == UInt8(ascii: "#") || $0 >= 0x7F }) { return false }
        switch first {
        case UInt8(ascii: "/"): return true
        case UInt8(ascii: "*"): return range.count == 1
        default: return Self.isAbsolute(bytes, range)
        }
    }

    /// `http://authority`, with a path or a query.
    private static func isAbsolute(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        var start = range.lowerBound
        guard range.count > 7 else { return false }
        guard HTTPBytes.isEqual(bytes, start..<start + 4, "http") else { return false }
        start += 4
        if bytes[start] | 0x20 == UInt8(ascii: "s") { start += 1 }
        guard range.upperBound - start > 3, bytes[start..<start + 3].elementsEqual("://".utf8) else { return false }
        start += 3
        var end = start
        while end < range.upperBound, HTTPBytes.isAuthority(bytes[end]) { end += 1 }
        guard end > start else { return false }
        return end == range.upperBound || bytes[end] == UInt8(ascii: "/") || bytes[end] == UInt8(ascii: "?")
    }
}

/// The methods that are accepted; all others are answered with 501.
enum RequestMethods {
    static func method(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> RequestHead.Method? {
        func matches(_ name: StaticString) -> Bool {
            range.count == name.utf8CodeUnitCount
                && bytes[range].elementsEqual(UnsafeRawBufferPointer(start: name.utf8Start, count: range.count))
        }
        if matches("GET") { return .get }
        if matches("POST") { return .post }
        if matches("OPTIONS") { return .options }
        if matches("HEAD") { return .head }
        if matches("CONNECT") { return .connect }
        return Self.others.contains { matches($0) } ? .other : nil
    }

    /// Those of the IANA's list that servers of HTTP commonly know.
    private static let others: [StaticString] = [
        "PUT", "DELETE", "PATCH", "TRACE", "COPY", "LOCK", "UNLOCK", "MKCOL", "MOVE", "PROPFIND", "PROPPATCH", "SEARCH",
        "BIND", "REBIND", "UNBIND", "ACL", "REPORT", "MKACTIVITY", "CHECKOUT", "MERGE", "M-SEARCH", "NOTIFY",
        "SUBSCRIBE", "UNSUBSCRIBE", "PURGE", "MKCALENDAR", "LINK", "UNLINK", "SOURCE",
    ]
}
