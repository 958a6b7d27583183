import MessagePack
import NIOCore
import SocketIOCore

/// A value inside a message of another server, in the form in which it came, not decoded yet.
enum MessageField: Sendable {
    case json(JSONSlice)
    /// A reader that stands before the value.
    case messagePack(MessagePackReader)

    /// The value of a whole message: JSON if the first byte says so, else MessagePack.
    init(_ message: ByteBuffer) throws(SocketIOError) {
        if message.getInteger(at: message.readerIndex, as: UInt8.self) == UInt8(ascii: "{") {
            self = .json(try JSONSlice(checking: message, maxDepth: MessageDepth.limit))
        } else {
            self = .messagePack(MessagePackReader(message, maxDepth: MessageDepth.limit))
        }
    }

    /// Calls `body` with each member of an object.
    ///
    /// - Throws: ``SocketIOError`` if this is no object.
    func forEachMember(_ body: (_ key: String, _ value: MessageField) -> Void) throws(SocketIOError) {
        switch self {
        case .json(let slice):
            guard slice.forEachMember({ body($0, .json($1)) }) else { throw .malformed("no object") }
        case .messagePack(var reader):
            do throws(MessagePackError) {
                for _ in 0..<(try reader.readMapHeader()) {
                    let key = try reader.readString()
                    body(key, .messagePack(reader))
                    try reader.skip()
                }
            } catch {
                throw SocketIOError(.invalidPayload, "no map with names", cause: error)
            }
        }
    }

    var string: String? {
        switch self {
        case .json(let slice): slice.string
        case .messagePack(var reader): try? reader.readString()
        }
    }

    var integer: Int? {
        switch self {
        case .json(let slice): slice.integer
        case .messagePack(var reader): try? reader.readInt()
        }
    }

    /// The value, decoded; nil if it can't be.
    var value: SocketIOValue? {
        switch self {
        case .json(let slice): slice.value
        case .messagePack(var reader): try? reader.read()
        }
    }
}
