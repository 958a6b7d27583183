import FuzzSupport
import NIOCore

@testable import EngineIOCore
@testable import MessagePack
@testable import RESP
@testable import SocketIO
@testable import SocketIOCore
@testable import SocketIORedis

/// Messages of other servers and emitters. The first byte chooses the reader.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    let reader = input.option() % 8
    let message = input.shiftedRest
    let accepted =
        switch reader {
        case 0: broadcast(message)
        case 1: (try? ClassicRequest.decode(message, namespace: "/")) != nil
        case 2: (try? ClassicResponse.decode(message)) != nil
        case 3, 4: sharded(message)
        case 5: entry(message)
        case 6: RedisStreamsAdapter.session(message, pid: "p") != nil
        default: (try? JSONText.read(message)) != nil
        }
    verdict(accepted ? "accept" : "refuse")
    return 0
}

private func broadcast(_ message: ByteBuffer) -> Bool {
    guard let received = try? ClassicBroadcast.decode(message, namespace: "/", isWanted: { _ in true }) else {
        return false
    }
    guard let packet = received.packet else { return true }
    demand(isEvent(packet), "an event that can't be read")
    let again = try? ClassicBroadcast.encode(packet, to: received.target, namespace: "/", uid: "u")
    let second = again.flatMap { try? ClassicBroadcast.decode($0, namespace: "/", isWanted: { _ in true }) }
    demand(second?.target.rooms == received.target.rooms, "rooms that change")
    demand(second?.packet?.event == packet.event, "an event that changes")
    return true
}

private func isEvent(_ packet: BroadcastPacket) -> Bool { (try? decodeOwnEvent(packet.encoded)) != nil }

/// An envelope and what is in it, of the sharded adapter.
private func sharded(_ message: ByteBuffer) -> Bool {
    guard let envelope = try? ClusterMessage(message) else { return false }
    return body(envelope.type, envelope.data)
}

/// What an answer to XREAD brings: one entry.
private func entry(_ reply: ByteBuffer) -> Bool {
    var parser = RESPParser()
    var reply = reply
    guard case .reply(let value)? = try? parser.next(from: &reply), let entry = StreamEntry(value),
        let type = entry.type.flatMap({ ClusterMessageType(rawValue: $0) })
    else { return false }
    guard let field = try? entry.field() else { return body(type, nil) }
    return body(type, field)
}

private func body(_ type: ClusterMessageType, _ data: MessageField?) -> Bool {
    guard let body = try? ClusterBody(type, data) else { return false }
    if case .broadcast(let event, _, _) = body, let packet = try? event.packet(namespace: "/") {
        demand(isEvent(packet), "an event that can't be read")
    }
    // What was read can be sent on.
    for form in [ClusterEncoder.Form.byContent, .messagePack] {
        let encoder = ClusterEncoder(uid: "u", namespace: "/", form: form)
        guard let written = try? encoder.message(body) else { continue }
        let again = try? ClusterMessage(written)
        demand(again?.type == type && again?.uid == "u", "an envelope that changes")
    }
    return true
}
