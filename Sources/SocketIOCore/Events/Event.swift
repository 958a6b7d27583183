/// The name of an event together with the types of its arguments.
///
/// Declare events once and use them on both ends:
///
/// ```swift
/// extension Event {
///     static var message: Event<Message, Int> { .init("message") }
/// }
/// socket.on(.message) { message, priority in … }
/// socket.emit(.message, Message(text: "hello"), 2)
/// ```
public struct Event<each Argument: Codable & Sendable>: Sendable {
    /// The name on the wire.
    public let name: String

    public init(_ name: String) { self.name = name }
}

/// The name of an event that is answered by an acknowledgement, with the types of the answer and of its arguments.
///
/// ```swift
/// enum Chat {
///     static let join = AckEvent<[String], String>("join")
/// }
/// socket.on(Chat.join) { room in [room] }
/// let rooms = try await socket.emitWithAck(Chat.join, "lobby")
/// ```
public struct AckEvent<Response: Codable & Sendable, each Argument: Codable & Sendable>: Sendable {
    /// The name on the wire.
    public let name: String

    public init(_ name: String) { self.name = name }
}
