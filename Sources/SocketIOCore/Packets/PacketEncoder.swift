import NIOCore

/// Makes packets of events, acknowledgements and the rest, each ready to be sent.
///
/// The text is written once, behind room for what is known only at its end: the number of attachments and the length.
package enum PacketEncoder {
    /// An event, with an id if it wants an acknowledgement.
    ///
    /// - Parameter scratch: storage to encode into, if nobody else refers to it.
    /// - Throws: ``SocketIOError`` with code `reserved_event`, or why an argument can't be encoded.
    package static func event<each A: Encodable>(
        _ name: String,
        namespace: String = "/",
        id: Int? = nil,
        scratch: consuming ByteBuffer? = nil,
        _ arguments: repeat each A
    ) throws(SocketIOError) -> EncodedPacket {
        var writer = try Self.beginEvent(name, namespace, id, consume scratch)
        for argument in repeat each arguments { try writer.encode(argument, before: Byte.comma) }
        writer.writeByte(Byte.closeArray)
        return Self.finish(&writer, .event)
    }

    /// An event whose arguments are values.
    ///
    /// - Throws: ``SocketIOError`` with code `reserved_event`, or why an argument can't be encoded.
    package static func event(
        _ name: String,
        namespace: String = "/",
        id: Int? = nil,
        values: [SocketIOValue]
    ) throws(SocketIOError) -> EncodedPacket {
        var writer = try Self.beginEvent(name, namespace, id)
        for value in values {
            writer.writeByte(Byte.comma)
            try writer.write(value)
        }
        writer.writeByte(Byte.closeArray)
        return Self.finish(&writer, .event)
    }

    /// An acknowledgement.
    ///
    /// - Parameter scratch: storage to encode into, if nobody else refers to it.
    /// - Throws: ``SocketIOError`` if an argument can't be encoded.
    package static func ack<each A: Encodable>(
        id: Int,
        namespace: String = "/",
        scratch: consuming ByteBuffer? = nil,
        _ arguments: repeat each A
    ) throws(SocketIOError) -> EncodedPacket {
        var writer = Self.begin(namespace, id, consume scratch)
        var separator = Byte.openArray
        for argument in repeat each arguments {
            try writer.encode(argument, before: separator)
            separator = Byte.comma
        }
        Self.closeArray(&writer, separator)
        return Self.finish(&writer, .ack)
    }

    /// An acknowledgement whose arguments are values.
    ///
    /// - Throws: ``SocketIOError`` if an argument can't be encoded.
    package static func ack(
        id: Int,
        namespace: String = "/",
        values: [SocketIOValue]
    ) throws(SocketIOError) -> EncodedPacket {
        var writer = Self.begin(namespace, id)
        var separator = Byte.openArray
        for value in values {
            writer.writeByte(separator)
            separator = Byte.comma
            try writer.write(value)
        }
        Self.closeArray(&writer, separator)
        return Self.finish(&writer, .ack)
    }

    /// A server's answer to CONNECT: the socket's id, the private id of the session if it can be recovered, and why the last one
    /// was not. The reference's client looks at the first two only.
    package static func connect(
        namespace: String,
        sid: String,
        pid: String? = nil,
        failure: RecoveryFailure? = nil
    ) -> EncodedPacket {
        var writer = Self.begin(namespace, nil)
        writer.writeRaw("{\"sid\":")
        writer.writeString(sid)
        if let pid {
            writer.writeRaw(",\"pid\":")
            writer.writeString(pid)
        }
        if let failure {
            writer.writeRaw(",\"recovery\":")
            writer.writeString(failure.rawValue)
        }
        writer.writeByte(Byte.closeObject)
        return Self.finish(&writer, .connect)
    }

    /// A client's CONNECT, or that of a server without data. Binary data is never extracted from it.
    ///
    /// - Throws: ``SocketIOError`` with code `invalid_payload` if `auth` is no object, or `binary_not_allowed`.
    package static func connect(
        namespace: String,
        auth: SocketIOValue?
    ) throws(SocketIOError) -> EncodedPacket {
        var writer = Self.begin(namespace, nil)
        if let auth {
            guard case .object = auth else {
                throw SocketIOError(.invalidPayload, "what CONNECT carries must be an object")
            }
            writer.binaryMode = .forbidden
            try writer.write(auth)
        }
        return Self.finish(&writer, .connect)
    }

    /// Leaves a namespace.
    package static func disconnect(namespace: String) -> EncodedPacket {
        var writer = Self.begin(namespace, nil)
        return Self.finish(&writer, .disconnect)
    }

    /// Refuses a CONNECT, with `data` for the application if there is any.
    ///
    /// - Throws: ``SocketIOError`` with code `binary_not_allowed`.
    package static func connectError(
        namespace: String,
        message: String,
        data: SocketIOValue? = nil
    ) throws(SocketIOError) -> EncodedPacket {
        var writer = Self.begin(namespace, nil)
        writer.binaryMode = .forbidden
        writer.writeRaw("{\"message\":")
        writer.writeString(message)
        if let data {
            writer.writeRaw(",\"data\":")
            try writer.write(data)
        }
        writer.writeByte(Byte.closeObject)
        return Self.finish(&writer, .connectError)
    }

    // MARK: Pieces

    /// Room for a frame's header, the `4` of Engine.IO, the type, the number of attachments and its dash.
    private static let headroom = ServerFrame.maxHeaderLength + 2 + 20

    static func begin(
        _ namespace: String,
        _ id: Int?,
        _ scratch: consuming ByteBuffer? = nil,
        reserving size: Int = 64
    ) -> JSONWriter {
        var writer = JSONWriter(reserving: size, headroom: Self.headroom, storage: consume scratch)
        if namespace != "/" {
            writer.writeText(namespace)
            writer.writeByte(Byte.comma)
        }
        if let id { writer.writeInteger(id) }
        return writer
    }

    private static func beginEvent(
        _ name: String,
        _ namespace: String,
        _ id: Int?,
        _ scratch: consuming ByteBuffer? = nil
    ) throws(SocketIOError) -> JSONWriter {
        if ReservedEvents.contains(name) {
            throw SocketIOError(.reservedEvent, "\"\(name)\" is a reserved event name")
        }
        var writer = Self.begin(namespace, id, consume scratch, reserving: 96)
        writer.writeString(name, before: Byte.openArray, after: nil)
        return writer
    }

    private static func closeArray(_ writer: inout JSONWriter, _ separator: UInt8) {
        if separator == Byte.openArray { writer.writeByte(Byte.openArray) }
        writer.writeByte(Byte.closeArray)
    }

    /// Writes what was left out at the front, and the attachments behind.
    static func finish(_ writer: inout JSONWriter, _ type: PacketType) -> EncodedPacket {
        let attachments = writer.attachments
        // The only reference, or writing would copy.
        var frames = ByteBuffer()
        swap(&frames, &writer.bytes)

        let length = frames.writerIndex - Self.headroom
        let isBinary = !attachments.isEmpty
        let index = frames.withUnsafeMutableReadableBytes { bytes in
            var index = Self.headroom
            func put(_ byte: UInt8) {
                index -= 1
                bytes[index] = byte
            }
            // From the end of the room to its beginning.
            if isBinary {
                put(Byte.minus)
                var rest = attachments.count
                repeat {
                    put(Byte.zero &+ UInt8(truncatingIfNeeded: rest % 10))
                    rest /= 10
                } while rest > 0
            }
            put(Byte.zero &+ Self.wireType(type, isBinary: isBinary).rawValue)
            put(UInt8(ascii: "4"))
            ServerFrame.header(ServerFrame.text, length: length + Self.headroom - index, backwards: put)
            return index
        }
        frames.moveReaderIndex(to: index)
        for attachment in attachments { ServerFrame.append(ServerFrame.binary, attachment, to: &frames) }
        return EncodedPacket(frames: frames, attachmentCount: attachments.count)
    }

    private static func wireType(_ type: PacketType, isBinary: Bool) -> PacketType {
        guard isBinary else { return type }
        return type == .event ? .binaryEvent : .binaryAck
    }
}
