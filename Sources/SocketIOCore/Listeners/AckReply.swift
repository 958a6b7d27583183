/// Answers an event later than its handler returns: `socket.on("late") { (a: Int, ack: AckReply) in … ack("done") }`.
/// The first call counts; others, and calls for an event that wants no acknowledgement, do nothing.
public struct AckReply: Sendable, Decodable {
    let sender: (any AckSending)?

    package init(sender: (any AckSending)?) { self.sender = sender }

    /// A reply is made by the event that it answers; nothing that a peer sends is one.
    public init(from decoder: any Decoder) throws {
        throw DecodingError.typeMismatch(
            AckReply.self, .init(codingPath: decoder.codingPath, debugDescription: "a reply is no argument"))
    }

    /// Whether the other side waits for an answer.
    public var isExpected: Bool { self.sender != nil }

    public func callAsFunction<each V: Encodable>(_ value: repeat each V) {
        self.sender?.send(repeat each value)
    }

    /// Answers with any number of values.
    public func callAsFunction(arguments: [SocketIOValue]) { self.sender?.send(values: arguments) }
}

/// Takes the acknowledgement of an event, at most once.
package protocol AckSending: Sendable {
    func send<each V: Encodable>(_ value: repeat each V)
    func send(_ values: any AcknowledgementValues)
    func send(values: [SocketIOValue])
}

extension AckSending {
    /// Answers with what a handler has returned.
    ///
    /// - Parameter isSeveral: whether the handler's type of result is an ``Ack``, which stands for several values.
    package func answer<R: Encodable>(_ result: R, isSeveral: Bool) {
        if isSeveral, let values = result as? any AcknowledgementValues {
            self.send(values)
        } else {
            self.send(result)
        }
    }
}
