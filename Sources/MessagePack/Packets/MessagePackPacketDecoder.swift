import NIOCore
import SocketIOCore

/// Reads what a ``MessagePackForm`` writes, and the parsers of JavaScript and Python.
///
/// It accepts what the reference's decoder accepts, with these exceptions:
/// - What the decoder of the default form refuses is refused here too: reserved event names, events without a name, negative ids,
///   binary data in CONNECT and CONNECT_ERROR, namespaces that don't begin with a slash, and what exceeds the limits. A binary value
///   is an attachment.
/// - Nil as the data of CONNECT and DISCONNECT is taken for none: python-socketio writes it.
///
/// An object that looks like the placeholder of an attachment is taken for one if the packet has binary values, as in the default
/// form.
final class MessagePackPacketDecoder: PacketFormDecoder {
    private let limits: PacketLimits

    init(_ limits: PacketLimits) { self.limits = limits }

    func decode(_ message: ByteBuffer, isBinary: Bool) throws(SocketIOError) -> Packet? {
        guard isBinary else {
            throw SocketIOError(.unexpectedMessage, "got plaintext data where MessagePack was due")
        }
        let packet: Result<Packet, SocketIOError>
        do throws(MessagePackError) { packet = try self.packet(Members(message)) } catch { throw SocketIOError(error) }
        return try packet.get()
    }

    /// The members of a packet's map that mean something; of repeated ones the last counts.
    private struct Members {
        var type: ByteBuffer?
        var namespace: ByteBuffer?
        var id: ByteBuffer?
        var data: ByteBuffer?

        init(_ message: ByteBuffer) throws(MessagePackError) {
            var reader = MessagePackReader(message)
            for _ in 0..<(try reader.readMapHeader()) {
                let key = try reader.readText()
                let value = reader.skipUndefined() ? nil : try reader.readRaw()
                switch key {
                case "type": self.type = value
                case "nsp": self.namespace = value
                case "id": self.id = value
                case "data": self.data = value
                // Clients say how the packet is to be compressed, in `options`.
                default: break
                }
            }
            try reader.expectEnd()
        }
    }

    private func packet(_ members: Members) throws(MessagePackError) -> Result<Packet, SocketIOError> {
        guard let number = try members.type?.integer, let type = Self.type(number) else {
            return .failure(SocketIOError(.invalidPacket, "invalid packet type"))
        }
        guard let namespace = try members.namespace?.text else {
            return .failure(SocketIOError(.invalidPacket, "invalid namespace"))
        }
        var id: Int?
        if let value = members.id {
            guard let number = try value.integer else {
                return .failure(SocketIOError(.invalidPacket, "invalid packet id"))
            }
            id = number
        }
        var payload: ByteBuffer?
        var attachments: [ByteBuffer] = []
        if let data = members.data, !(data.isNil && (type == .connect || type == .disconnect)) {
            var reader = MessagePackReader(data, maxDepth: self.limits.maxDepth)
            var json = ByteBuffer()
            json.reserveCapacity(data.readableBytes + 16)
            var options = MessagePackTranscoder.Options()
            options.maxAttachments = self.limits.maxAttachments
            options.dropsUndefined = true
            try MessagePackTranscoder.json(from: &reader, attachments: &attachments, into: &json, options: options)
            payload = json
        }
        do throws(SocketIOError) {
            return .success(
                try Packet(
                    checking: type, namespace: namespace, id: id, payload: payload, attachments: attachments,
                    limits: self.limits))
        } catch {
            return .failure(error)
        }
    }

    private static func type(_ number: Int) -> PacketType? {
        guard 0...4 ~= number else { return nil }
        return UInt8(exactly: number).flatMap { PacketType(rawValue: $0) }
    }
}

extension ByteBuffer {
    fileprivate var isNil: Bool {
        self.readableBytes == 1 && self.getInteger(at: self.readerIndex) == 0xC0 as UInt8
    }

    /// A value, if it is an integer.
    fileprivate var integer: Int? {
        get throws(MessagePackError) {
            var reader = MessagePackReader(self)
            do throws(MessagePackError) { return try reader.readInt() } catch {
                if error.code == .typeMismatch { return nil }
                throw error
            }
        }
    }

    /// A value, if it is a text.
    fileprivate var text: String? {
        get throws(MessagePackError) {
            var reader = MessagePackReader(self)
            do throws(MessagePackError) { return try reader.readString() } catch {
                if error.code == .typeMismatch { return nil }
                throw error
            }
        }
    }
}

extension SocketIOError {
    fileprivate init(_ error: MessagePackError) {
        switch error.code {
        case .tooDeep: self.init(.nestingTooDeep, "invalid payload: nested too deep", cause: error)
        case .tooManyAttachments: self.init(.tooManyAttachments, "too many attachments", cause: error)
        default: self.init(.invalidPacket, "the packet is no MessagePack", cause: error)
        }
    }
}
