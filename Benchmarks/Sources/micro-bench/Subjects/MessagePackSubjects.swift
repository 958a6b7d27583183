import BenchSupport
import Foundation
import MessagePack
import NIOCore
import SocketIOCore

/// MessagePack, which servers of a cluster speak with each other.
enum MessagePackSubjects {
    static func all() throws -> [Subject] {
        let chat = try JSONEncoder().encode(["chat", ChatMessage.sample.text])
        let products = try JSONEncoder().encode([Product.samples])
        return try Self.bothWays("event with a text", chat) + Self.bothWays("50 objects", products)
    }

    private static func bothWays(_ what: String, _ data: Data) throws -> [Subject] {
        let json = ByteBuffer(bytes: data)
        var writer = MessagePackWriter(.msgpackJS)
        try writer.writeJSON(json)
        let packed = writer.buffer
        var arguments = try ArgumentReader(checking: ByteBuffer(bytes: Data("[".utf8) + data + Data("]".utf8)))
        let value = try arguments.nextValue()
        return [
            Subject(name: "MessagePack: \(what), from JSON") { times in
                for _ in 0..<times {
                    var writer = MessagePackWriter(.msgpackJS)
                    try writer.writeJSON(json)
                    keep(writer.buffer)
                }
            },
            Subject(name: "MessagePack: \(what), to JSON") { times in
                for _ in 0..<times {
                    var reader = MessagePackReader(packed)
                    var writer = JSONWriter(reserving: 64)
                    try MessagePackTranscoder.json(from: &reader, into: &writer)
                    keep(writer.bytes)
                }
            },
            Subject(name: "MessagePack: \(what), from values") { times in
                for _ in 0..<times {
                    var writer = MessagePackWriter(.msgpackJS)
                    try writer.write(value)
                    keep(writer.buffer)
                }
            },
            Subject(name: "MessagePack: \(what), to values") { times in
                for _ in 0..<times {
                    var reader = MessagePackReader(packed)
                    keep(try reader.read())
                }
            },
        ]
    }
}
