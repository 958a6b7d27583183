import Foundation
import NIOCore
import Testing

@testable import SocketIOCore

/// Thousands of damaged packets, always the same ones: nothing may crash, and what is accepted is consistent.
@Suite struct PacketFuzzTests {
    private static let interesting = Array("[]{}\",:\\-+.eEu0129/tfn \u{0}_".utf8) + [0x80, 0xC3, 0xED, 0xFF]

    @Test func mutations() throws {
        var seeds: [[Message]] = []
        for list in ["cases", "invalid"] {
            for vector in try Vectors.cases(list) {
                seeds.append(try #require(vector["frames"]?.arrayValue).map { try Message(vector: $0) })
            }
        }
        let (person, attachments) = try encode(CodableTests.person)
        seeds.append(
            [.text("5\(attachments.count)-[\"p\",\(person)]")] + attachments.map { .binary(Array(buffer: $0)) })
        let texts = seeds.flatMap { $0 }.compactMap { message -> [UInt8]? in
            if case .text(let text) = message { Array(text.utf8) } else { nil }
        }

        var random = SplitMix64(state: 0x5EED)
        var accepted = 0
        for _ in 0..<20_000 {
            let seed = seeds[Int.random(in: 0..<seeds.count, using: &random)]
            var decoder = PacketDecoder()
            for message in seed {
                var packet: Packet?
                switch message {
                case .binary(let bytes):
                    packet = try? decoder.decode(binary: ByteBuffer(bytes: bytes))
                case .text(let text):
                    var bytes = Array(text.utf8)
                    for _ in 0..<Int.random(in: 1...4, using: &random) {
                        mutate(&bytes, texts, &random)
                    }
                    // Some space in front, so that offsets that forget the reader index are found out.
                    var buffer = ByteBuffer(bytes: [0x5B, 0x22] + bytes)
                    buffer.moveReaderIndex(forwardBy: 2)
                    packet = try? decoder.decode(text: buffer)
                }
                if let packet {
                    accepted += 1
                    try check(packet)
                }
            }
        }
        #expect(accepted > 1000)
    }

    private func mutate(_ bytes: inout [UInt8], _ texts: [[UInt8]], _ random: inout SplitMix64) {
        let position = Int.random(in: 0...bytes.count, using: &random)
        let byte = Self.interesting.randomElement(using: &random) ?? 0
        switch UInt8.random(in: 0..<6, using: &random) {
        case 0: bytes.insert(byte, at: position)
        case 1 where position < bytes.count: bytes[position] = byte
        case 2 where position < bytes.count: bytes.remove(at: position)
        case 3: bytes.removeSubrange(position...)
        case 4:
            let end = min(bytes.count, position + Int.random(in: 0..<8, using: &random))
            bytes.insert(contentsOf: bytes[position..<end], at: position)
        default:
            guard let other = texts.randomElement(using: &random), !other.isEmpty else { return }
            let start = Int.random(in: 0..<other.count, using: &random)
            bytes.replaceSubrange(position..., with: other[start...])
        }
    }

    private func check(_ packet: Packet) throws {
        // All arguments as values, and those again as text and back.
        var arguments = packet.arguments
        let values = try arguments.remainingValues()
        if packet.type == .event {
            let again = try PacketEncoder.event(packet.eventName, values: values)
            #expect(try decodeOwnEvent(again).arguments == values.map(finite))
        }
        // Each argument as one type after the other; most do not fit.
        try read(packet.arguments, as: Person.self)
        try read(packet.arguments, as: [String: SocketIOValue].self)
        try read(packet.arguments, as: [[String: Int]].self)
        try read(packet.arguments, as: Shape.self)
        try read(packet.arguments, as: String?.self)
        try read(packet.arguments, as: [Double].self)
        try read(packet.arguments, as: Date.self)
        try read(packet.arguments, as: Decimal.self)
        try read(packet.arguments, as: UInt16.self)
        try read(packet.arguments, as: Data.self)
        var skipping = packet.arguments
        for _ in values { skipping.skip() }
        #expect(skipping.isAtEnd)
    }

    private func read<T: Decodable>(_ arguments: ArgumentReader, as type: T.Type) throws {
        var arguments = arguments
        while !arguments.isAtEnd {
            let index = arguments.index
            if (try? arguments.next(type)) == nil { arguments.skip() }
            #expect(arguments.index == index + 1)
        }
    }

    /// Infinite numbers become null on the way.
    private func finite(_ value: SocketIOValue) -> SocketIOValue {
        switch value {
        case .double(let number) where !number.isFinite: .null
        case .array(let elements): .array(elements.map(self.finite))
        case .object(let object): .object(.init(object.map { ($0.key, self.finite($0.value)) }))
        default: value
        }
    }
}
