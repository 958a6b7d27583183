import NIOCore
import SocketIOCore

/// Packets as `socket.io-msgpack-parser` writes them: one binary message, a map of `type`, `nsp`, `data` and `id`.
package struct MessagePackForm: PacketForm {
    package init() {}

    /// A number with a fraction has nine bytes, and four in JSON, its comma included.
    package var isCompact: Bool { true }

    package func encode(frames: ByteBuffer) throws(SocketIOError) -> EncodedPacket {
        let packet = try Packet(own: frames)
        var buffer = ByteBuffer()
        buffer.reserveCapacity(frames.readableBytes + 32)
        // Of what this dialect says differently there is nothing in JSON: `undefined` and dates.
        var writer = MessagePackWriter(.notepack3, into: buffer)
        buffer = ByteBuffer()
        writer.writeMapHeader(2 + (packet.id == nil ? 0 : 1) + (packet.payload == nil ? 0 : 1))
        writer.write("type")
        writer.write(Int(packet.type.rawValue))
        writer.write("nsp")
        writer.write(packet.namespace)
        if let id = packet.id {
            writer.write("id")
            writer.write(id)
        }
        // Where there are none the key is left out: readers of the reference refuse nil.
        if let payload = packet.payload {
            writer.write("data")
            do throws(MessagePackError) {
                try writer.writeJSON(payload, attachments: packet.attachments)
            } catch {
                throw SocketIOError(.encodingFailed, "the packet can't be written as MessagePack", cause: error)
            }
        }
        return try EncodedPacket(messages: [.binary(writer.buffer)])
    }

    package func makeDecoder(_ limits: PacketLimits) -> any PacketFormDecoder { MessagePackPacketDecoder(limits) }
}

extension ParserChoice {
    /// Nil: the default form.
    package var form: (any PacketForm)? {
        switch self.kind {
        case .json: nil
        case .messagePack: MessagePackForm()
        case .custom(let form): form
        }
    }
}
