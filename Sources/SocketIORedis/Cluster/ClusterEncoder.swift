import MessagePack
import NIOCore
import SocketIOCore

/// Writes the messages of one namespace of this server.
struct ClusterEncoder: Sendable {
    /// How messages are written.
    enum Form: Sendable {
        /// JSON, or MessagePack when there is binary data: the sharded adapter.
        case byContent
        /// Always MessagePack: the streams adapter.
        case messagePack
    }

    let uid: String
    let namespace: String
    let form: Form
    /// How messages of this server end, in JSON and in MessagePack: whose a message is can be told without reading it.
    private let endings: [ByteBuffer]

    init(uid: String, namespace: String, form: Form) {
        self.uid = uid
        self.namespace = namespace
        self.form = form
        var json = JSONFieldWriter()
        json.openObject(3)
        json.integer(0)
        json.key("uid")
        json.string(uid)
        json.key("nsp")
        json.string(namespace)
        json.closeObject()
        var jsonEnding = json.buffer
        jsonEnding.moveReaderIndex(forwardBy: 2)
        var pack = MessagePackFieldWriter(.notepack3)
        pack.key("uid")
        pack.string(uid)
        pack.key("nsp")
        pack.string(namespace)
        self.endings = [jsonEnding, pack.buffer]
    }

    /// A whole message.
    func message(_ body: ClusterBody) throws(SocketIOError) -> ByteBuffer {
        switch self.form {
        case .byContent where !body.hasBinary:
            var writer = JSONFieldWriter()
            try self.write(body, to: &writer)
            return writer.buffer
        case .byContent:
            var writer = MessagePackFieldWriter(.notepack3)
            try self.write(body, to: &writer)
            return writer.buffer
        case .messagePack:
            var writer = MessagePackFieldWriter(.msgpackJS)
            try self.write(body, to: &writer)
            guard ForbiddenKey.occurs(in: writer.buffer) else { return writer.buffer }
            guard body.isAnswer else {
                try ForbiddenKey.check(writer.buffer)
                return writer.buffer
            }
            // One client's header, query or acknowledgement must not silence the server.
            writer = MessagePackFieldWriter(.msgpackJS, omitsForbiddenKeys: true)
            try self.write(body, to: &writer)
            return writer.buffer
        }
    }

    private func write(_ body: ClusterBody, to writer: inout some FieldWriter) throws(SocketIOError) {
        writer.openObject(4)
        writer.key("type")
        writer.integer(body.type.rawValue)
        writer.key("data")
        try body.write(to: &writer)
        writer.key("uid")
        writer.string(self.uid)
        writer.key("nsp")
        writer.string(self.namespace)
        writer.closeObject()
    }

    /// Whether a message is one of this server's own, which Redis sends back to it.
    func isOwn(_ message: ByteBuffer) -> Bool {
        self.endings.contains { ending in
            let length = ending.readableBytes
            guard message.readableBytes >= length else { return false }
            return message.withUnsafeReadableBytes { bytes in
                ending.withUnsafeReadableBytes { bytes.suffix(length).elementsEqual($0) }
            }
        }
    }
}

/// The ids of the reference's cluster adapters: 16 hexadecimal digits.
enum ClusterID {
    static func random() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// Whether a text from elsewhere is one.
    static func isValid(_ text: some StringProtocol) -> Bool {
        text.utf8.count == 16 && text.utf8.allSatisfy { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 }
    }
}
