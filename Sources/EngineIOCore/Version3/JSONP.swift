import NIOCore

/// Polling by script elements and forms, for pages in browsers that can't do otherwise.
package enum JSONP {
    /// Digits of an index that count.
    private static let maxDigits = 16

    /// The index of the function that the page waits with: the digits of `j`. Nothing else of it gets into an answer.
    package static func index(of parameter: String) -> String {
        String(decoding: parameter.utf8.filter { (0x30...0x39).contains($0) }.prefix(Self.maxDigits), as: UTF8.self)
    }

    /// The script that hands over `payload`, which is UTF-8.
    package static func script(_ payload: ByteBuffer, index: String) -> ByteBuffer {
        var script = ByteBufferAllocator().buffer(capacity: payload.readableBytes + payload.readableBytes / 4 + 32)
        script.writeStaticString("___eio[")
        script.writeString(index)
        script.writeStaticString("](\"")
        payload.withUnsafeReadableBytes { bytes in
            var index = 0
            while index < bytes.count {
                // U+2028 and U+2029 end a line in scripts.
                if bytes[index] == 0xE2, bytes.count &- index >= 3, bytes[index &+ 1] == 0x80,
                    bytes[index &+ 2] & 0xFE == 0xA8
                {
                    script.writeString(bytes[index &+ 2] == 0xA8 ? "\\u2028" : "\\u2029")
                    index &+= 3
                } else {
                    Self.append(bytes[index], to: &script)
                    index &+= 1
                }
            }
        }
        script.writeStaticString("\");")
        return script
    }

    /// A byte of a string as `JSON.stringify` writes it.
    private static func append(_ byte: UInt8, to script: inout ByteBuffer) {
        switch byte {
        case UInt8(ascii: "\""): script.writeStaticString("\\\"")
        case UInt8(ascii: "\\"): script.writeStaticString("\\\\")
        case 0x08: script.writeStaticString("\\b")
        case 0x09: script.writeStaticString("\\t")
        case 0x0A: script.writeStaticString("\\n")
        case 0x0C: script.writeStaticString("\\f")
        case 0x0D: script.writeStaticString("\\r")
        case 0..<0x20:
            let digits = String(byte, radix: 16)
            script.writeString("\\u00" + (byte < 0x10 ? "0" : "") + digits)
        default: script.writeInteger(byte)
        }
    }

    /// The payload in the body of a form, its field `d`; nil if there is none, or several.
    ///
    /// Forms change line feeds, so `\n` stands for one, and `\\n` for `\n`.
    package static func payload(ofForm body: ByteBuffer) -> ByteBuffer? {
        var found: [UInt8]?
        let isUnique = body.withUnsafeReadableBytes { bytes in
            var start = 0
            while start < bytes.count {
                let end = ByteSearch.firstIndex(of: UInt8(ascii: "&"), in: bytes, from: start) ?? bytes.count
                let field = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
                if field.count >= 2, field[0] == UInt8(ascii: "d"), field[1] == UInt8(ascii: "=") {
                    if found != nil { return false }
                    found = PercentCoding.decode(UnsafeRawBufferPointer(rebasing: field[2...]))
                }
                start = end + 1
            }
            return true
        }
        guard isUnique, let text = found else { return nil }
        return Self.unescaped(text)
    }

    private static func unescaped(_ text: [UInt8]) -> ByteBuffer {
        var result = ByteBufferAllocator().buffer(capacity: text.count)
        let (backslash, letter) = (UInt8(ascii: "\\"), UInt8(ascii: "n"))
        var index = 0
        while index < text.count {
            guard text[index] == backslash else {
                result.writeInteger(text[index])
                index += 1
                continue
            }
            let rest = text[index...]
            if rest.starts(with: [backslash, backslash, letter]) {
                result.writeStaticString("\\n")
                index += 3
            } else if rest.starts(with: [backslash, letter]) {
                result.writeInteger(UInt8(ascii: "\n"))
                index += 2
            } else {
                result.writeInteger(backslash)
                index += 1
            }
        }
        return result
    }
}
