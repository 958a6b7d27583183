import BenchSupport
import Foundation
import NIOCore
import SocketIOCore

/// JSON both ways, beside Foundation's coders.
enum JSONSubjects {
    static func all() throws -> [Subject] {
        try Self.bothWays("object of three", ChatMessage.sample)
            + Self.bothWays("50 objects", Product.samples)
            + Self.bothWays("text of 16 KiB", String(repeating: "The quick brown fox. ", count: 780))
            + Self.bothWays("1,000 integers", (0..<1000).map { (index: Int) -> Int in index * 7919 })
            + Self.bothWays("1,000 fractions", (0..<1000).map { (index: Int) -> Double in Double(index) * 1.37 + 0.01 })
            + Self.tree()
    }

    private static func bothWays<Value: Codable & Sendable>(_ what: String, _ value: Value) throws -> [Subject] {
        // Arguments stand in an array.
        let json = try JSONEncoder().encode([value])
        let bytes = ByteBuffer(bytes: json)
        return [
            Subject(
                name: "JSON: \(what), written",
                body: { times in
                    for _ in 0..<times {
                        var writer = JSONWriter(reserving: 64)
                        try writer.encode([value])
                        keep(writer.bytes)
                    }
                },
                reference: .init(name: "JSONEncoder") { times in
                    let encoder = JSONEncoder()
                    for _ in 0..<times { keep(try encoder.encode([value])) }
                }),
            Subject(
                name: "JSON: \(what), read",
                body: { times in
                    for _ in 0..<times {
                        var arguments = try ArgumentReader(checking: bytes)
                        keep(try arguments.next(Value.self))
                    }
                },
                reference: .init(name: "JSONDecoder") { times in
                    let decoder = JSONDecoder()
                    for _ in 0..<times { keep(try decoder.decode([Value].self, from: json)) }
                }),
        ]
    }

    /// Values of no known type.
    private static func tree() throws -> [Subject] {
        let json = try JSONEncoder().encode([Product.samples])
        let bytes = ByteBuffer(bytes: json)
        var arguments = try ArgumentReader(checking: bytes)
        let value = try arguments.nextValue()
        // JSONSerialization writes what it has read.
        let object = try UncheckedBox(JSONSerialization.jsonObject(with: json))
        return [
            Subject(
                name: "JSON: 50 objects of unknown type, written",
                body: { times in
                    for _ in 0..<times {
                        var writer = JSONWriter(reserving: 64)
                        try writer.write(value)
                        keep(writer.bytes)
                    }
                },
                reference: .init(name: "JSONSerialization") { times in
                    for _ in 0..<times { keep(try JSONSerialization.data(withJSONObject: object.value)) }
                }),
            Subject(
                name: "JSON: 50 objects of unknown type, read",
                body: { times in
                    for _ in 0..<times {
                        var arguments = try ArgumentReader(checking: bytes)
                        keep(try arguments.nextValue())
                    }
                },
                reference: .init(name: "JSONSerialization") { times in
                    for _ in 0..<times { keep(try JSONSerialization.jsonObject(with: json)) }
                }),
        ]
    }

    private struct UncheckedBox {
        let value: Any
        init(_ value: Any) { self.value = value }
    }
}
