import NIOCore

/// Writes a JSON string: for the bodies of errors.
enum JSONText {
    static func append(_ text: String, to buffer: inout ByteBuffer) {
        buffer.writeInteger(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): buffer.writeString("\\\"")
            case UInt8(ascii: "\\"): buffer.writeString("\\\\")
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                buffer.writeString("\\u00" + (digits.count == 1 ? "0" : "") + digits)
            default: buffer.writeInteger(byte)
            }
        }
        buffer.writeInteger(UInt8(ascii: "\""))
    }
}
