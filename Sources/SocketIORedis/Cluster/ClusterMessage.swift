import NIOCore
import SocketIOCore

/// The envelope of a message between servers: what it is, who sent it, and for which namespace.
struct ClusterMessage: Sendable {
    var type: ClusterMessageType
    /// The id that the sender has given itself in that namespace.
    var uid: String
    var namespace: String
    var data: MessageField?

    /// Reads an envelope, and nothing of what is in it. Nil if its type is unknown.
    ///
    /// - Throws: ``SocketIOError`` if it is malformed.
    init?(_ message: ByteBuffer) throws(SocketIOError) {
        var type: Int?
        var uid: String?
        var namespace: String?
        var data: MessageField?
        try MessageField(message).forEachMember { key, field in
            switch key {
            case "type": type = field.integer
            case "uid": uid = field.string
            case "nsp": namespace = field.string
            case "data": data = field
            default: break
            }
        }
        guard let type, let uid, let namespace else { throw .malformed("an envelope without type, uid or nsp") }
        guard let type = ClusterMessageType(rawValue: type) else { return nil }
        self.type = type
        self.uid = uid
        self.namespace = namespace
        self.data = data
    }
}
