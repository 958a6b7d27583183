import NIOCore

extension Packet {
    /// A CONNECT.
    ///
    /// - Parameter auth: what the client sends with it, if anything.
    package static func connect(namespace: String, auth: SocketIOValue.Object? = nil) -> Packet {
        var packet = Packet(
            type: .connect, isBinary: false, namespace: namespace, id: nil, payload: nil, attachments: [],
            eventName: "", argumentsOffset: 0)
        guard let auth else { return packet }
        var writer = JSONWriter(reserving: 64)
        // Texts, and arrays of them: always possible.
        guard (try? writer.write(.object(auth))) != nil else { return packet }
        packet.payload = writer.bytes
        return packet
    }

    /// The same packet for another namespace.
    package func renamed(_ namespace: String) -> Packet {
        var packet = self
        packet.namespace = namespace
        return packet
    }
}
