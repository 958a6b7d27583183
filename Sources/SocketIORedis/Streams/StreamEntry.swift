import EngineIOCore
import MessagePack
import NIOCore
import RESP
import SocketIOCore

/// An entry of a stream: a message between servers whose envelope is fields, all of them texts.
struct StreamEntry: Sendable {
    var id: StreamID
    var uid: String
    var namespace: String
    var type: Int?
    var data: ByteBuffer?

    /// Nil if it is no entry, or one that has no namespace.
    init?(_ value: RedisValue) {
        guard let parts = value.elements, parts.count >= 2, let id = Self.id(of: value),
            let fields = parts[1].elements
        else { return nil }
        self.id = id
        self.uid = ""
        var namespace: String?
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            switch fields[index].text {
            case "uid": self.uid = fields[index + 1].text ?? ""
            case "nsp": namespace = fields[index + 1].text
            case "type": self.type = fields[index + 1].int
            case "data": self.data = fields[index + 1].bytes
            default: break
            }
        }
        guard let namespace else { return nil }
        self.namespace = namespace
    }

    /// The id of what should be an entry.
    static func id(of value: RedisValue) -> StreamID? {
        value.elements?.first?.text.flatMap { StreamID($0) }
    }

    /// Its data, not decoded: JSON if the first character says so, else MessagePack in base64.
    ///
    /// - Throws: ``SocketIOError`` if it is malformed.
    func field() throws(SocketIOError) -> MessageField? {
        guard let data = self.data else { return nil }
        if data.getInteger(at: data.readerIndex, as: UInt8.self) == UInt8(ascii: "{") { return try MessageField(data) }
        return try MessageField(Base64.decodeLeniently(data))
    }

    /// What is written as a message's data.
    ///
    /// - Throws: ``SocketIOError`` if it can't be encoded.
    static func data(of body: ClusterBody, onlyPlaintext: Bool) throws(SocketIOError) -> ByteBuffer {
        guard body.hasBinary, !onlyPlaintext else {
            var writer = JSONFieldWriter()
            try body.write(to: &writer)
            return writer.buffer
        }
        var writer = MessagePackFieldWriter(.msgpackJS)
        try body.write(to: &writer)
        try ForbiddenKey.check(writer.buffer)
        return Self.base64(writer.buffer)
    }

    static func base64(_ bytes: ByteBuffer) -> ByteBuffer {
        var text = ByteBuffer()
        text.reserveCapacity(Base64.encodedLength(bytes.readableBytes))
        Base64.encode(bytes, to: &text)
        return text
    }
}
