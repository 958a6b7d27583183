import NIOCore
import Testing

@testable import MessagePack
@testable import SocketIOCore

/// Thousands of damaged packets, always the same ones: nothing may crash, and what is accepted can be read and written again.
@Suite struct PacketFuzzTests {
    @Test func mutations() throws {
        let seeds = try (PacketVectors.list("cases") + PacketVectors.list("live") + PacketVectors.list("invalid"))
            .compactMap { ($0["frame"] ?? $0["binary"])?.stringValue }
            .map { Array(buffer: try bytes($0)) }.filter { $0.count < 96 }
        let limits = PacketLimits(maxAttachments: 2, maxAttachmentBytes: 64, maxDepth: 5, maxArguments: 4)
        var random = SplitMix64(state: 0x4D50)
        var accepted = 0
        for _ in 0..<30_000 {
            var message = seeds.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 1...3, using: &random) { FuzzTests.mutate(&message, seeds, &random) }
            if try Self.check(ByteBuffer(bytes: message), limits) { accepted += 1 }
        }
        #expect(accepted > 500)
    }

    private static func check(_ message: ByteBuffer, _ limits: PacketLimits) throws -> Bool {
        let result = Result { try PacketVectors.decode(message, limits) }
        if case .failure(let error) = result {
            #expect(error is SocketIOError, "\(hex(message))")
            return false
        }
        let packet = try #require(try result.get())
        #expect(!ReservedEvents.contains(packet.eventName))
        #expect(packet.attachments.count <= limits.maxAttachments && packet.namespace.hasPrefix("/"))
        var reader = packet.arguments
        let values = try reader.remainingValues()
        guard packet.type == .event else { return true }
        #expect(values.count <= limits.maxArguments)
        let event = try PacketEncoder.event(
            packet.eventName, namespace: packet.namespace, id: packet.id, values: values)
        let again = try PacketVectors.decode(Self.payload(MessagePackForm().encode(frames: event.frames)))
        var second = try #require(again).arguments
        #expect(try second.remainingValues() == values, "\(hex(message))")
        #expect(again?.eventName == packet.eventName && again?.id == packet.id)
        return true
    }

    private static func payload(_ packet: EncodedPacket) throws -> ByteBuffer {
        var frames = packet.frames
        return try #require(ServerFrame.read(from: &frames)).payload
    }
}
