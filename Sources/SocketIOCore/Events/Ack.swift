/// Several values in one acknowledgement: `return Ack("ok", 200)`.
///
/// A handler that returns any other value acknowledges with that one value. Anywhere else than as the result of a
/// handler, an `Ack` encodes as an array.
public struct Ack<each Value: Encodable & Sendable>: Encodable, Sendable {
    /// The values, in the order in which they are sent.
    public let values: (repeat each Value)

    public init(_ value: repeat each Value) { self.values = (repeat each value) }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        for value in repeat each self.values {
            try container.encode(value)
        }
    }
}

/// What stands for more than one argument in an acknowledgement.
package protocol AcknowledgementValues: Encodable {
    /// The packet that acknowledges `id` with these values.
    func acknowledgement(id: Int, namespace: String) throws(SocketIOError) -> EncodedPacket
}

extension Ack: AcknowledgementValues {
    package func acknowledgement(id: Int, namespace: String) throws(SocketIOError) -> EncodedPacket {
        try PacketEncoder.ack(id: id, namespace: namespace, repeat each self.values)
    }
}
