/// Percent sequences in URLs.
enum PercentText {
    /// As JavaScript's `encodeURIComponent`.
    static func encode(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            case _ where "-_.!~*'()".utf8.contains(byte):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                self.append(byte, to: &result)
            }
        }
        return result
    }

    /// Encodes what a path can't hold, and leaves what is encoded already.
    static func encodePath(_ path: String) -> String {
        var result = ""
        for byte in path.utf8 {
            if byte <= 0x20 || byte >= 0x7F || "\"<>?#\\^`{|}".utf8.contains(byte) {
                self.append(byte, to: &result)
            } else {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            }
        }
        return result
    }

    /// The parameters of a query, decoded; `+` is a space.
    static func parameters(_ query: Substring) -> [EngineURL.Parameter] {
        query.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return .init(name: self.decode(parts[0]), value: parts.count > 1 ? self.decode(parts[1]) : "")
        }
    }

    private static func decode(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func append(_ byte: UInt8, to text: inout String) {
        let digits = Array("0123456789ABCDEF".unicodeScalars)
        text.append("%")
        text.unicodeScalars.append(digits[Int(byte >> 4)])
        text.unicodeScalars.append(digits[Int(byte & 0xF)])
    }
}
