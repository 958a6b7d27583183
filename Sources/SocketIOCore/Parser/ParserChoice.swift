/// Which parser writes and reads the packets of a connection. The two sides don't negotiate it: give clients the parser of the
/// server's path, and serve clients with another from a server of its own, on another path or port.
public struct ParserChoice: Sendable, Hashable {
    package enum Kind: Sendable {
        case json
        case messagePack
        case custom(CustomForm)
    }

    package let kind: Kind

    /// Socket.IO's own, which clients have unless they are told otherwise: JSON, and binary data in messages of its own.
    public static let json = ParserChoice(kind: .json)

    /// MessagePack, as `socket.io-msgpack-parser` and python-socketio's `serializer='msgpack'` have it: one binary message for each
    /// packet, binary values in their place.
    ///
    /// Integers from -2^63 to 2^63-1 are exact. NaN and the infinities are sent as nil; dates come as texts, as from JSON. Binary values count
    /// as attachments for `maxAttachments`, of which the reference has no limit here. `CONNECT` can't carry any.
    public static let messagePack = ParserChoice(kind: .messagePack)

    /// A parser of one's own. Clients share a connection only if their configurations have this very value, or copies of it.
    public static func custom(_ parser: some SocketIOParser) -> ParserChoice {
        ParserChoice(kind: .custom(CustomForm(parser)))
    }

    public static func == (left: Self, right: Self) -> Bool {
        switch (left.kind, right.kind) {
        case (.json, .json), (.messagePack, .messagePack): true
        case (.custom(let left), .custom(let right)): left === right
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self.kind {
        case .json: hasher.combine(0)
        case .messagePack: hasher.combine(1)
        case .custom(let form): hasher.combine(ObjectIdentifier(form))
        }
    }
}

extension ParserChoice: CustomStringConvertible {
    /// `default`, `msgpack` or `custom`.
    public var description: String {
        switch self.kind {
        case .json: "default"
        case .messagePack: "msgpack"
        case .custom: "custom"
        }
    }
}
