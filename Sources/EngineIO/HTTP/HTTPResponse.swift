import EngineIOCore
import NIOCore
import NIOHTTP1

/// An answer as it is handed to a transport. The length of the body is the transport's to say.
struct HTTPResponse {
    enum Body {
        /// The status allows no body, nor a length.
        case none
        case bytes(ByteBuffer)
        /// The packets of a polling payload, as frames, and the payload's size.
        case payload([ByteBuffer], size: Int)

        static let empty = Body.bytes(ByteBuffer())

        var size: Int {
            switch self {
            case .none: 0
            case .bytes(let bytes): bytes.readableBytes
            case .payload(_, let size): size
            }
        }
    }

    var status: HTTPResponseStatus
    var headers: HTTPHeaders
    var body: Body
    /// The request was a HEAD: the length is said and the body not sent.
    var omitsBody = false

    /// Whether nothing in it would end a line. Values may be copied from what a client has sent.
    var isValid: Bool {
        guard self.status.reasonPhrase.utf8.allSatisfy(Self.isValueByte) else { return false }
        for (name, value) in self.headers {
            guard !name.isEmpty, name.utf8.allSatisfy(Self.isNameByte), value.utf8.allSatisfy(Self.isValueByte) else {
                return false
            }
        }
        return true
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && !"()<>@,;:\\\"/[]?={}".utf8.contains(byte)
    }

    @inline(__always)
    private static func isValueByte(_ byte: UInt8) -> Bool { (byte >= 0x20 && byte != 0x7F) || byte == 0x09 }

    /// Appends the head.
    func writeHead(to buffer: inout ByteBuffer) {
        switch self.status {
        case .ok: buffer.writeStaticString("HTTP/1.1 200 OK\r\n")
        case .switchingProtocols: buffer.writeStaticString("HTTP/1.1 101 Switching Protocols\r\n")
        default:
            buffer.writeStaticString("HTTP/1.1 ")
            buffer.writeString(String(self.status.code))
            buffer.writeInteger(UInt8(ascii: " "))
            buffer.writeString(self.status.reasonPhrase)
            buffer.writeStaticString("\r\n")
        }
        for (name, value) in self.headers {
            buffer.writeString(name)
            buffer.writeStaticString(": ")
            buffer.writeString(value)
            buffer.writeStaticString("\r\n")
        }
        if case .none = self.body {
        } else {
            buffer.writeStaticString("content-length: ")
            buffer.writeString(String(self.body.size))
            buffer.writeStaticString("\r\n")
        }
        buffer.writeStaticString("\r\n")
    }
}
