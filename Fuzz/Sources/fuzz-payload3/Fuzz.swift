import FuzzSupport
import NIOCore

@testable import EngineIOCore

/// Payloads of polling (protocol 3), text or binary, or in a form as JSONP sends them. What was read can be written and read again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    let options = input.option()
    let isBinary = options & 1 != 0
    var body = input.shiftedRest
    if options & 2 != 0 {
        guard let payload = JSONP.payload(ofForm: body) else {
            verdict("no form")
            return 0
        }
        body = payload
    }
    let (packets, isComplete) = decode(body, isBinary)
    verdict((packets.map { "\($0)" } + (isComplete ? [] : ["error"])).joined(separator: "|"))
    guard !packets.isEmpty else { return 0 }

    for usesBase64 in [false, true] {
        let frames = packets.map { $0.makeFrame() }
        let written = Version3Encoder.payload(frames, usesBase64: usesBase64)
        let again = decode(written.body, written.isBinary)
        demand(again.isComplete && again.packets == packets, "packets that change")
        for frame in frames { _ = Version3Encoder.frames(frame, usesBase64: usesBase64) }
        let script = JSONP.script(written.body, index: JSONP.index(of: "7"))
        demand(script.readableBytes >= written.body.readableBytes, "a script that is too short")
    }
    return 0
}

private func decode(_ body: ByteBuffer, _ isBinary: Bool) -> (packets: [EngineIOPacket], isComplete: Bool) {
    var decoder = Version3PayloadDecoder(body, isBinary: isBinary, maxPackets: 100)
    var packets: [EngineIOPacket] = []
    do throws(EngineIOPacketError) {
        while let packet = try decoder.next() { packets.append(packet) }
        return (packets, true)
    } catch {
        demand(packets.count <= 100, "more packets than the limit")
        return (packets, false)
    }
}
