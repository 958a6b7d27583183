/// All the arguments that a handler has not named, of any number and type: `socket.on("log") { (rest: Arguments) in … }`.
/// As the last parameter it holds what is left.
public struct Arguments: Sendable, Decodable {
    public let values: [SocketIOValue]

    package init(values: [SocketIOValue]) { self.values = values }

    /// They are taken from the event; nothing that a client sends is one of them.
    public init(from decoder: any Decoder) throws {
        throw DecodingError.typeMismatch(
            Arguments.self, .init(codingPath: decoder.codingPath, debugDescription: "arguments are no argument"))
    }
}

extension Arguments: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { self.values.count }
    public subscript(position: Int) -> SocketIOValue { self.values[position] }
}
