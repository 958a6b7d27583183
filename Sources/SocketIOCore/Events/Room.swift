/// The name of a room: a group of sockets in one namespace that a message can be sent to.
///
/// Every socket is in the room named by its own id. Rooms come into being when the first socket joins.
public struct Room: Hashable, Sendable, ExpressibleByStringInterpolation {
    /// The name, which is compared as it is.
    public let name: String

    public init(_ name: String) { self.name = name }

    public init(stringLiteral name: String) { self.name = name }
}

extension Room: CustomStringConvertible {
    public var description: String { self.name }
}
