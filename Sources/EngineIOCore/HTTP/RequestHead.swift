/// The head of a request: its bytes as they came, checked, and what the server itself looks for. The rest is read out of the
/// bytes when somebody asks, so that a connection which keeps its request keeps one array.
package struct RequestHead: Sendable {
    /// The methods that the server knows; the name of others is ``methodName``.
    package enum Method: UInt8, Sendable {
        case get, head, post, options, connect, other
    }

    /// How the end of the body is found.
    package enum Framing: Sendable, Equatable {
        case none
        case length(Int)
        case chunked
    }

    /// What the fields say, found when they were checked.
    package struct Facts: OptionSet, Sendable {
        package let rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        static let closes = Facts(rawValue: 1)
        static let keepsAlive = Facts(rawValue: 2)
        /// `Connection` names `upgrade`.
        static let asksForUpgrade = Facts(rawValue: 4)
        /// There is an `Upgrade` field.
        package static let hasUpgrade = Facts(rawValue: 8)
        /// `Upgrade` names `websocket`.
        static let namesWebSocket = Facts(rawValue: 16)
        package static let expectsContinue = Facts(rawValue: 32)
        package static let hasOrigin = Facts(rawValue: 64)
        static let hasHost = Facts(rawValue: 128)
        static let hasLength = Facts(rawValue: 256)
        static let isHTTP10 = Facts(rawValue: 512)
        package static let hasUserAgent = Facts(rawValue: 1024)
    }

    /// From the method to the end of the empty line.
    package let bytes: [UInt8]
    package let method: Method
    package let framing: Framing
    package let facts: Facts
    private let targetStart: UInt32
    private let targetEnd: UInt32

    init(bytes: [UInt8], method: Method, framing: Framing, facts: Facts, target: Range<Int>) {
        self.bytes = bytes
        self.method = method
        self.framing = framing
        self.facts = facts
        self.targetStart = UInt32(truncatingIfNeeded: target.lowerBound)
        self.targetEnd = UInt32(truncatingIfNeeded: target.upperBound)
    }

    /// Where the request target lies in ``bytes``.
    package var targetRange: Range<Int> { Int(self.targetStart)..<Int(self.targetEnd) }

    /// The request target as it came.
    package var target: String { String(decoding: self.bytes[self.targetRange], as: UTF8.self) }

    package var methodName: String {
        String(decoding: self.bytes[..<max(0, self.targetRange.lowerBound - 1)], as: UTF8.self)
    }

    package var isHTTP10: Bool { self.facts.contains(.isHTTP10) }

    /// Whether the connection may serve another request.
    package var isKeepAlive: Bool {
        if self.facts.contains(.closes) { return false }
        return !self.facts.contains(.isHTTP10) || self.facts.contains(.keepsAlive)
    }

    /// Whether the client wants to switch to WebSocket: both fields say so, as RFC 9110 §7.8 demands.
    package var wantsWebSocket: Bool { self.facts.isSuperset(of: [.namesWebSocket, .asksForUpgrade]) }

    /// Whether the target begins with `prefix`, byte by byte.
    package func targetStarts(with prefix: String) -> Bool {
        self.bytes[self.targetRange].starts(with: prefix.utf8)
    }
}

extension RequestHead {
    /// Calls `body` with each field's name and value until it returns false.
    @inline(__always)
    private func forEachField(
        _ body: (_ bytes: UnsafeRawBufferPointer, _ name: Range<Int>, _ value: Range<Int>) -> Bool
    ) {
        self.bytes.withUnsafeBytes { bytes in
            guard var end = Self.lineEnd(bytes, Int(self.targetEnd)) else { return }
            while true {
                let start = end + 2
                guard let next = Self.lineEnd(bytes, start), next > start else { return }
                end = next
                var colon = start
                while colon < end, bytes[colon] != UInt8(ascii: ":") { colon &+= 1 }
                guard colon < end else { continue }
                if !body(bytes, start..<colon, HTTPBytes.trimmed(bytes, colon + 1..<end)) { return }
            }
        }
    }

    /// In a head that was checked a CR ends a line.
    private static func lineEnd(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int? {
        ByteSearch.firstIndex(of: 0x0D, in: bytes, from: start)
    }

    /// The value of the first field with this name, in lower case.
    package func first(_ name: StaticString) -> String? {
        var result: String?
        self.forEachField { bytes, field, value in
            guard HTTPBytes.isEqual(bytes, field, name) else { return true }
            result = String(decoding: UnsafeRawBufferPointer(rebasing: bytes[value]), as: UTF8.self)
            return false
        }
        return result
    }

    /// The values of all fields with this name, in lower case.
    package func values(_ name: StaticString) -> [String] {
        var result: [String] = []
        self.forEachField { bytes, field, value in
            if HTTPBytes.isEqual(bytes, field, name) {
                result.append(String(decoding: UnsafeRawBufferPointer(rebasing: bytes[value]), as: UTF8.self))
            }
            return true
        }
        return result
    }

    /// All fields in order, names as they came.
    package var fields: [(String, String)] {
        var result: [(String, String)] = []
        self.forEachField { bytes, field, value in
            result.append(
                (
                    String(decoding: UnsafeRawBufferPointer(rebasing: bytes[field]), as: UTF8.self),
                    String(decoding: UnsafeRawBufferPointer(rebasing: bytes[value]), as: UTF8.self)
                ))
            return true
        }
        return result
    }
}
