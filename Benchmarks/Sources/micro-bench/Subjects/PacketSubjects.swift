import NIOCore
import SocketIOCore

/// Packets of Socket.IO, both ways.
enum PacketSubjects {
    static func all() -> [Subject] {
        let text = ChatMessage.sample.text
        let data = ByteBuffer(repeating: 7, count: 1024)
        return [
            Self.decoding("parser: event with a text", "2[\"chat\",\"\(text)\"]"),
            Self.decoding(
                "parser: event with an object, in a namespace, with an id",
                "2/admin,17[\"chat\",{\"user\":\"somebody\",\"text\":\"\(text)\",\"likes\":7}]"),
            Self.decoding(
                "parser: event with 1 KiB of data", "51-[\"file\",{\"_placeholder\":true,\"num\":0}]", data),
            Self.decoding("parser: acknowledgement", "317[\"\(text)\"]"),
            Subject(name: "parser: event with a text, read as String") { times in
                var decoder = PacketDecoder()
                let bytes = ByteBuffer(string: "2[\"chat\",\"\(text)\"]")
                for _ in 0..<times {
                    guard var arguments = try decoder.decode(text: bytes)?.arguments else { continue }
                    keep(try arguments.next(String.self))
                }
            },
            Subject(name: "encoder: event with a text") { times in
                for _ in 0..<times { keep(try PacketEncoder.event("chat", text)) }
            },
            Subject(name: "encoder: event with an object") { times in
                for _ in 0..<times { keep(try PacketEncoder.event("chat", ChatMessage.sample)) }
            },
            Subject(name: "encoder: event with 1 KiB of data") { times in
                for _ in 0..<times { keep(try PacketEncoder.event("file", data)) }
            },
            Subject(name: "encoder: acknowledgement") { times in
                for _ in 0..<times { keep(try PacketEncoder.ack(id: 17, text)) }
            },
        ]
    }

    private static func decoding(_ name: String, _ text: String, _ attachment: ByteBuffer? = nil) -> Subject {
        let bytes = ByteBuffer(string: text)
        return Subject(name: name) { times in
            var decoder = PacketDecoder()
            for _ in 0..<times {
                keep(try decoder.decode(text: bytes))
                if let attachment { keep(try decoder.decode(binary: attachment)) }
            }
        }
    }
}
