import MessagePack
import NIOCore
import SocketIO
import SocketIOCore

/// An answer to a request.
struct ClassicResponse {
    enum Content {
        /// To 0, 1, 5 and 6: a list, or the one value that an event was answered with.
        case elements([SocketIOValue])
        /// 8: how many clients were asked.
        case clientCount(Int)
        /// 9: what one of them has said.
        case acknowledgement(SocketIOValue?)
    }

    var id: String
    var content: Content

    /// Reads a message of a response channel.
    ///
    /// - Throws: ``MalformedMessage``, or why it can't be read.
    static func decode(_ payload: ByteBuffer) throws -> ClassicResponse? {
        let value: SocketIOValue
        if ClassicPacket.isJSON(payload) {
            value = try JSONText.read(payload)
        } else {
            var reader = MessagePackReader(payload, maxDepth: MessageDepth.limit)
            value = try reader.read()
        }
        guard let response = value.objectValue else { throw MalformedMessage("no answer") }
        // Answers to servers of Socket.IO 2 spell it in another way; they are for nobody here.
        guard let id = response["requestId"]?.stringValue else {
            if response["requestid"] != nil { return nil }
            throw MalformedMessage("no id")
        }
        switch response["type"]?.intValue {
        case 8:
            guard let count = response["clientCount"]?.intValue, count >= 0 else { throw MalformedMessage("no count") }
            return ClassicResponse(id: id, content: .clientCount(count))
        case 9: return ClassicResponse(id: id, content: .acknowledgement(response["packet"]))
        case 6: return ClassicResponse(id: id, content: .elements(response["data"].map { [$0] } ?? []))
        default:
            let list = (response["sockets"] ?? response["rooms"])?.arrayValue
            return ClassicResponse(id: id, content: .elements(list ?? []))
        }
    }

    /// Acknowledgements are the only answers in MessagePack: they may be binary. One without an argument has no packet.
    static func acknowledgement(_ id: String, _ value: SocketIOValue?) throws -> ByteBuffer {
        var writer = MessagePackWriter(.notepack3)
        writer.writeMapHeader(value == nil ? 2 : 3)
        writer.write("type")
        writer.write(9)
        writer.write("requestId")
        writer.write(id)
        if let value {
            writer.write("packet")
            try writer.write(value)
        }
        return writer.buffer
    }
}
