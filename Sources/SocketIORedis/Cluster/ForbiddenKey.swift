import MessagePack
import NIOCore
import SocketIOCore

/// The key `__proto__`, at which the reader of Node.js' streams adapter throws: such a server then reads the same entry again and
/// again, and nothing behind it. A client can choose keys, so a message with it is not sent, and answers go without what has it.
enum ForbiddenKey {
    private static let name: StaticString = "__proto__"

    /// - Throws: ``SocketIOError`` with code `encoding_failed` if a map in `message` has the key.
    static func check(_ message: ByteBuffer) throws(SocketIOError) {
        guard Self.occurs(in: message) else { return }
        // As a value it does no harm.
        var reader = MessagePackReader(message, maxDepth: MessageDepth.limit)
        let value: SocketIOValue
        do { value = try reader.read() } catch {
            throw SocketIOError(.encodingFailed, "a message to other servers can't be read again", cause: error)
        }
        guard !Self.isKey(in: value) else {
            throw SocketIOError(.encodingFailed, "the key \(Self.name) can't be sent to servers of other kinds")
        }
    }

    /// Whether `message` may have the key: its bytes occur.
    static func occurs(in message: ByteBuffer) -> Bool {
        Self.name.withUTF8Buffer { name in
            message.withUnsafeReadableBytes { bytes in
                guard let first = name.first, bytes.count >= name.count else { return false }
                var index = 0
                while let found = bytes[index...].firstIndex(of: first), bytes.count - found >= name.count {
                    if bytes[found..<(found + name.count)].elementsEqual(name) { return true }
                    index = found + 1
                }
                return false
            }
        }
    }

    /// The value without all members that have the key.
    static func removed(from value: SocketIOValue) -> SocketIOValue {
        switch value {
        case .array(let elements): .array(elements.map { Self.removed(from: $0) })
        case .object(let object):
            .object(
                SocketIOValue.Object(
                    object.lazy.filter { $0.key != "\(Self.name)" }.map { ($0.key, Self.removed(from: $0.value)) }))
        default: value
        }
    }

    private static func isKey(in value: SocketIOValue) -> Bool {
        switch value {
        case .array(let elements): elements.contains { Self.isKey(in: $0) }
        case .object(let object): object.contains { $0.key == "\(Self.name)" || Self.isKey(in: $0.value) }
        default: false
        }
    }
}
