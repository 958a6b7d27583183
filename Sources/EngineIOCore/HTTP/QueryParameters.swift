/// The parameters of a request target, parsed as Node.js does it.
///
/// Pairs are split at `&`, `+` is a space, percent sequences are decoded, invalid ones stay as they are, bytes that
/// are not UTF-8 become U+FFFD. Of a repeated key the last one counts. The text is kept, and values are made when
/// they are asked for.
package struct QueryParameters: Sendable {
    /// Pairs behind these are ignored.
    package static let maxPairs = 256
    /// Bytes of the query behind these are ignored.
    package static let maxBytes = 16_384

    /// Bytes with the request target among them.
    private let bytes: [UInt8]
    private let query: Range<Int>
    /// Values of the keys of the protocol, found in one scan.
    private var eioRange: Range<Int>?
    private var transportRange: Range<Int>?
    private var sidRange: Range<Int>?
    private var base64Range: Range<Int>?
    private var jsonpRange: Range<Int>?

    /// Whether something was ignored because of ``maxPairs`` or ``maxBytes``.
    package private(set) var exceedsLimits = false

    /// - Parameter uri: the request target; the query is what follows the first `?`.
    package init(uri: String) {
        let bytes = Array(uri.utf8)
        self.init(bytes: bytes, target: 0..<bytes.count)
    }

    /// The query of a request, whose bytes are shared.
    package init(_ head: RequestHead) {
        self.init(bytes: head.bytes, target: head.targetRange)
    }

    private init(bytes: [UInt8], target: Range<Int>) {
        self.bytes = bytes
        let (query, isCut) = bytes.withUnsafeBytes { bytes in
            let target = target.clamped(to: 0..<bytes.count)
            let part = UnsafeRawBufferPointer(rebasing: bytes[..<target.upperBound])
            guard let mark = ByteSearch.firstIndex(of: UInt8(ascii: "?"), in: part, from: target.lowerBound) else {
                return (0..<0, false)
            }
            let end = min(part.count, mark + 1 + Self.maxBytes)
            return (mark + 1..<end, end < part.count)
        }
        self.query = query
        self.exceedsLimits = isCut
        var found = Found()
        let isComplete = self.forEachPair { bytes, key, value in found.note(bytes, key, value) }
        if !isComplete { self.exceedsLimits = true }
        self.eioRange = found.eio
        self.transportRange = found.transport
        self.sidRange = found.sid
        self.base64Range = found.base64
        self.jsonpRange = found.jsonp
    }

    /// `EIO`, the protocol version.
    package var eio: String? { self.text(self.eioRange) }

    package var transport: String? { self.text(self.transportRange) }

    /// `sid`; an empty one counts as missing.
    package var sid: String? {
        self.sidRange.flatMap { $0.isEmpty ? nil : self.text($0) }
    }

    /// Whether `b64` has a value: binary must be sent as base64.
    package var wantsBase64: Bool { self.base64Range.map { !$0.isEmpty } ?? false }

    /// `j`: the answers must be JSONP.
    package var jsonp: String? { self.text(self.jsonpRange) }

    /// The value of the last pair with this key.
    package subscript(key: String) -> String? {
        var last: Range<Int>?
        var key = key
        key.withUTF8 { wanted in
            let wanted = UnsafeRawBufferPointer(wanted)
            self.forEachPair { bytes, found, value in
                if Self.isEqual(UnsafeRawBufferPointer(rebasing: bytes[found]), to: wanted) { last = value }
            }
        }
        return self.text(last)
    }

    /// All pairs in order, repeated keys included.
    package var pairs: [(key: String, value: String)] {
        var result: [(key: String, value: String)] = []
        self.forEachPair { bytes, key, value in
            result.append((Self.decode(bytes, key), Self.decode(bytes, value)))
        }
        return result
    }

    /// All parameters; of a repeated key the last one.
    package var dictionary: [String: String] {
        var result: [String: String] = [:]
        self.forEachPair { bytes, key, value in
            result[Self.decode(bytes, key)] = Self.decode(bytes, value)
        }
        return result
    }

    private func text(_ range: Range<Int>?) -> String? {
        guard let range else { return nil }
        return self.bytes.withUnsafeBytes { Self.decode($0, range) }
    }
}

extension QueryParameters {
    private struct Found {
        var eio: Range<Int>?
        var transport: Range<Int>?
        var sid: Range<Int>?
        var base64: Range<Int>?
        var jsonp: Range<Int>?

        mutating func note(_ bytes: UnsafeRawBufferPointer, _ key: Range<Int>, _ value: Range<Int>) {
            func matches(_ name: StaticString) -> Bool {
                let wanted = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
                return QueryParameters.isEqual(UnsafeRawBufferPointer(rebasing: bytes[key]), to: wanted)
            }
            if matches("EIO") {
                self.eio = value
            } else if matches("transport") {
                self.transport = value
            } else if matches("sid") {
                self.sid = value
            } else if matches("b64") {
                self.base64 = value
            } else if matches("j") {
                self.jsonp = value
            }
        }
    }

    /// Calls `body` with the ranges of key and value in `bytes`; returns false if there were more than ``maxPairs``.
    @discardableResult
    private func forEachPair(
        _ body: (_ bytes: UnsafeRawBufferPointer, _ key: Range<Int>, _ value: Range<Int>) -> Void
    ) -> Bool {
        self.bytes.withUnsafeBytes { bytes in
            guard self.query.upperBound <= bytes.count else { return true }
            var start = self.query.lowerBound
            var pairs = 0
            while start < self.query.upperBound {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[start..<self.query.upperBound])
                let end =
                    ByteSearch.firstIndex(of: UInt8(ascii: "&"), in: rest).map { $0 + start } ?? self.query.upperBound
                if end > start {
                    guard pairs < Self.maxPairs else { return false }
                    pairs += 1
                    let pair = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
                    if let sign = ByteSearch.firstIndex(of: UInt8(ascii: "="), in: pair) {
                        body(bytes, start..<start + sign, start + sign + 1..<end)
                    } else {
                        body(bytes, start..<end, end..<end)
                    }
                }
                start = end + 1
            }
            return true
        }
    }

    /// Compares a key as it stands in the query with a name.
    private static func isEqual(_ raw: UnsafeRawBufferPointer, to name: UnsafeRawBufferPointer) -> Bool {
        guard PercentCoding.isEncoded(raw) else { return raw.count == name.count && raw.elementsEqual(name) }
        return String(decoding: PercentCoding.decode(raw), as: UTF8.self).utf8.elementsEqual(name)
    }

    private static func decode(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> String {
        guard range.lowerBound >= 0, range.upperBound <= bytes.count else { return "" }
        let raw = UnsafeRawBufferPointer(rebasing: bytes[range])
        if PercentCoding.isEncoded(raw) { return String(decoding: PercentCoding.decode(raw), as: UTF8.self) }
        return String(decoding: raw, as: UTF8.self)
    }
}
