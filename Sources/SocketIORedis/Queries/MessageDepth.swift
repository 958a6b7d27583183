import SocketIOCore

/// How deep messages of other servers may be nested.
enum MessageDepth {
    /// The values that a server can send, and what is around them: an event's array, the packet, the data and the envelope.
    static let limit = JSONWriter.maxDepth + 8
}
