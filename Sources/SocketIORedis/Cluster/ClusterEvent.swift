import EngineIOCore
import MessagePack
import NIOCore
import SocketIO
import SocketIOCore

/// An event in a message between servers, its name first: of this server as the text that it was encoded to, of another one
/// in the form in which it came. Nothing of it is decoded before somebody is known to want it.
struct ClusterEvent: Sendable {
    private enum Form {
        case text(json: ByteBuffer, attachments: [ByteBuffer])
        case field(MessageField)
    }

    private let form: Form
    /// Whether it has the id of an acknowledgement that one socket was asked for.
    let hasID: Bool

    /// An event of this server.
    init(_ packet: BroadcastPacket, namespace: String) throws(SocketIOError) {
        let (json, attachments) = try packet.encoded.event(namespace: namespace)
        self.form = .text(json: json, attachments: attachments)
        self.hasID = false
    }

    /// An event of another server.
    init(_ field: MessageField, hasID: Bool = false) {
        self.form = .field(field)
        self.hasID = hasID
    }

    /// Whether it is one of this server's with binary data.
    var hasBinary: Bool {
        if case .text(_, let attachments) = self.form { !attachments.isEmpty } else { false }
    }

    /// The array as JSON, and the binary data that placeholders in it refer to.
    func text() throws(SocketIOError) -> (json: ByteBuffer, attachments: [ByteBuffer]) {
        switch self.form {
        case .text(let json, let attachments): return (json, attachments)
        case .field(.json(let slice)): return (slice.bytes, [])
        case .field(.messagePack(var reader)):
            var writer = JSONWriter(reserving: 128)
            do {
                try MessagePackTranscoder.json(from: &reader, into: &writer)
            } catch {
                throw SocketIOError(.invalidPayload, "an event that can't be decoded", cause: error)
            }
            return (writer.bytes, writer.attachments)
        }
    }

    /// The name and the arguments, decoded.
    func values() throws(SocketIOError) -> [SocketIOValue] {
        let value: SocketIOValue?
        switch self.form {
        case .text(let json, let attachments):
            var reader = try ArgumentReader(checking: json, attachments: attachments, maxDepth: MessageDepth.limit)
            return try reader.remainingValues()
        case .field(let field): value = field.value
        }
        guard let array = value?.arrayValue else { throw .malformed("an event that is no array") }
        return array
    }

    /// The packet for sockets of this server.
    func packet(namespace: String) throws(SocketIOError) -> BroadcastPacket {
        let array: JSONSlice
        var attachments: [ByteBuffer] = []
        if case .field(.json(let slice)) = self.form {
            // Clients close their connections over text that is not UTF-8.
            guard UTF8Validation.isValid(slice.bytes) else { throw .malformed("an event that is not UTF-8") }
            array = slice
        } else {
            let text = try self.text()
            array = try JSONSlice(checking: text.json, maxDepth: MessageDepth.limit)
            attachments = text.attachments
        }
        guard let first = array.firstElement, let name = first.string ?? (first.isNumber ? first.name : nil) else {
            throw .malformed("an event without a name")
        }
        guard !ReservedEvents.contains(name) else { throw .malformed("an event with a reserved name") }
        return BroadcastPacket(
            event: name,
            encoded: PacketEncoder.event(json: array.bytes, attachments: attachments, namespace: namespace)
        )
    }
}

extension JSONSlice {
    fileprivate var name: String { String(buffer: self.bytes) }
}

extension SocketIOError {
    /// A message of another server is not what it should be.
    static func malformed(_ what: String) -> SocketIOError { SocketIOError(.invalidPayload, what) }
}
