import NIOCore

/// A way of one's own of writing packets, in the place of Socket.IO's: both sides of a connection must have the same.
///
/// A server has one for all its clients, a client one for each connection; see ``ParserChoice``. What it writes and reads is
/// whole packets with their values, binary data in its place. How handlers decode their arguments does not change by it.
///
/// ```swift
/// struct Prefixed: SocketIOParser {
///     func encode(_ packet: SocketIOPacket) throws -> [EngineMessage] { … }
///     func makeDecoder(limits: ParserLimits) -> Decoder { Decoder(limits: limits) }
///     struct Decoder: SocketIOPacketDecoder {
///         mutating func feed(_ message: EngineMessage) throws -> SocketIOPacket? { … }
///     }
/// }
/// configuration.parser = .custom(Prefixed())
/// ```
public protocol SocketIOParser: Sendable {
    associatedtype Decoder: SocketIOPacketDecoder

    /// The messages of a packet, one at least, in the order in which they are sent. Nothing comes in between.
    ///
    /// A broadcast is encoded once. It must depend on the packet alone and call nothing of this package: a server may call it on
    /// any thread, on several at a time, and with connection state recovery while a namespace is locked. A client may call it twice for
    /// a packet, to know its size first.
    /// - Throws: any error. The packet is then not sent, and the error hook is told.
    func encode(_ packet: SocketIOPacket) throws -> [EngineMessage]

    /// A decoder of the messages of one connection.
    ///
    /// - Parameter limits: What it may be asked to take at most. A packet that it returns is checked against them; what it keeps
    ///   from one message to the next is what it must bound itself.
    func makeDecoder(limits: ParserLimits) -> Decoder
}

/// Makes packets of the messages of one connection; see ``SocketIOParser``.
public protocol SocketIOPacketDecoder: Sendable {
    /// Takes the next message. No larger one comes than the settings of the transport allow. It is called by one at a time.
    ///
    /// - Returns: The packet, or nil if more messages belong to it. On a server these must come within
    ///   `attachmentsTimeout`.
    /// - Throws: any error: what the other side sends is no packet. The connection is then closed, as it is for a packet that
    ///   exceeds a limit or whose data is not what ``SocketIOPacket/data`` says.
    mutating func feed(_ message: EngineMessage) throws -> SocketIOPacket?
}

/// A message of the transport: what WebSocket calls a message, and polling a packet.
public enum EngineMessage: Sendable, Hashable {
    /// Text, which must be UTF-8 without U+001E: polling separates packets by that.
    case text(ByteBuffer)
    /// Binary data. Polling sends it in base64.
    case binary(ByteBuffer)
}

/// What a decoder may be asked to take at most, from the configuration of the server or client.
public struct ParserLimits: Sendable, Hashable {
    /// Arrays and objects inside each other in ``SocketIOPacket/data``. Default 128.
    public var maxDepth = 128
    /// Arguments of an event or acknowledgement, the name of the event not counted. Default 1000.
    public var maxArguments = 1000
    /// Binary values of a packet. Default 10.
    public var maxAttachments = 10
    /// Bytes of all binary values of a packet. Default 10 MB.
    public var maxAttachmentBytes = 10_000_000
    /// UTF-8 bytes of the name of a namespace. Default 1024.
    public var maxNamespaceLength = 1024

    /// The defaults.
    public init() {}
}
