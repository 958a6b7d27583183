import FuzzSupport
import NIOCore

@testable import EngineIOCore

/// Payloads of polling (protocol 4), and the packets in them. What was read can be written and read again; a payload of
/// what lies framed in an outbox is as long as was foretold.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let body = FuzzInput(start, count).rest
    var decoder = PayloadDecoder(body, maxPackets: 100)
    var packets: [EngineIOPacket] = []
    var failure: EngineIOPacketError?
    do throws(EngineIOPacketError) {
        while let packet = try decoder.next() { packets.append(packet) }
    } catch {
        failure = error
    }
    demand(packets.count <= 100, "more packets than the limit")
    verdict((packets.map(\.text) + (failure == nil ? [] : ["error"])).joined(separator: "|"))

    var frames = ByteBuffer()
    var texts = ByteBuffer()
    for packet in packets {
        packet.appendFrame(to: &frames)
        if texts.readableBytes > 0 { texts.writeInteger(PayloadDecoder.separator) }
        let before = texts.readableBytes
        packet.appendText(to: &texts)
        demand(texts.readableBytes - before == packet.textLength, "a packet of another length")
        if case .open(let json) = packet { _ = Handshake(json: json) }
    }
    var payload = ByteBuffer()
    PayloadEncoder.append(frames: frames, to: &payload)
    demand(payload == texts, "another payload of frames")
    demand(PayloadEncoder.encodedSize(ofFrames: frames) == payload.readableBytes, "a payload of another length")
    guard !packets.isEmpty else { return 0 }
    var again = PayloadDecoder(payload, maxPackets: 100)
    for packet in packets { demand(try again.next() == packet, "\(packet) changes") }
    demand(try again.next() == nil, "one packet more")
    return 0
}

extension EngineIOPacket {
    /// For verdicts: the type and the data in hexadecimal digits.
    var text: String {
        switch self {
        case .open(let data): "open:" + data.hex
        case .close: "close"
        case .ping(let data): "ping:" + data.hex
        case .pong(let data): "pong:" + data.hex
        case .message(let data): "message:" + data.hex
        case .binary(let data): "binary:" + data.hex
        case .upgrade: "upgrade"
        case .noop: "noop"
        }
    }
}
