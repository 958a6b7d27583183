import FuzzSupport
import NIOCore

@testable import MessagePack
@testable import SocketIOCore

/// Packets as the MessagePack parser writes them. Their arguments can be read; what was read can be written and read again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let message = FuzzInput(start, count).shiftedRest
    let limits = PacketLimits(maxAttachments: 4, maxAttachmentBytes: 4096, maxDepth: 16)
    let decoder = MessagePackForm().makeDecoder(limits)
    guard let packet = try? decoder.decode(message, isBinary: true) else {
        verdict("refuse")
        return 0
    }
    verdict("accept \(packet.type) \(packet.namespace) \(packet.id.map(String.init) ?? "-")")
    demand(packet.attachments.count <= limits.maxAttachments, "more attachments than the limit")
    var arguments = packet.arguments
    guard let values = try? arguments.remainingValues() else { fatalError("arguments that can't be read") }
    guard packet.type == .event else { return 0 }
    do {
        let encoded = try PacketEncoder.event(
            packet.eventName, namespace: packet.namespace, id: packet.id, values: values)
        let packed = try MessagePackForm().encode(frames: encoded.frames)
        demand(packed.frames.readableBytes > 0, "nothing is written")
    } catch {
        demand(false, "an event that can't be written: \(error)")
    }
    return 0
}
