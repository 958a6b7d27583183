/// What a server answers to clients of Socket.IO protocol 4. All other packets are those of protocol 5.
extension PacketEncoder {
    /// The client is in the namespace. The socket's id is not said: the client makes it of the session's.
    package static func version4Connect(namespace: String) -> EncodedPacket {
        var writer = Self.begin(namespace, nil)
        return Self.finish(&writer, .connect)
    }

    /// Refuses a CONNECT: with the data if there is any, else with the message.
    ///
    /// - Throws: ``SocketIOError`` with code `binary_not_allowed`.
    package static func version4Error(
        namespace: String,
        message: String,
        data: SocketIOValue? = nil
    ) throws(SocketIOError) -> EncodedPacket {
        var writer = Self.begin(namespace, nil)
        writer.binaryMode = .forbidden
        if let data { try writer.write(data) } else { writer.writeString(message) }
        return Self.finish(&writer, .connectError)
    }
}
