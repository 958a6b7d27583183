/// A packet of Socket.IO as a ``SocketIOParser`` sees it.
public struct SocketIOPacket: Sendable, Hashable {
    /// What a packet is for. The numbers are those of the protocol.
    public enum Kind: Int, Sendable, Hashable {
        /// A client asks to join a namespace, or a server lets it.
        case connect = 0
        /// One side leaves a namespace.
        case disconnect = 1
        case event = 2
        /// The answer to an event.
        case ack = 3
        /// A server refuses a client.
        case connectError = 4
    }

    public var kind: Kind
    /// The namespace, which begins with a slash and has no comma: `/` or `/chat`.
    public var namespace: String
    /// Of an event: the id under which an answer is wanted; of an answer: that of the event. Not negative.
    public var id: Int?
    /// What the packet carries.
    ///
    /// | kind | data |
    /// | --- | --- |
    /// | ``Kind/connect`` | an object without binary data, or nil |
    /// | ``Kind/disconnect`` | nil |
    /// | ``Kind/event`` | an array: the name of the event, a text or number, then the arguments |
    /// | ``Kind/ack`` | an array: the arguments |
    /// | ``Kind/connectError`` | an object without binary data, with `message` and perhaps `data` |
    public var data: SocketIOValue?

    public init(_ kind: Kind, namespace: String = "/", id: Int? = nil, data: SocketIOValue? = nil) {
        self.kind = kind
        self.namespace = namespace
        self.id = id
        self.data = data
    }
}
