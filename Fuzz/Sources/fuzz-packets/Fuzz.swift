import Foundation
import FuzzSupport
import NIOCore

@testable import SocketIOCore

/// Packets: messages separated by 0xFF, the first of them and those of an odd number of leading zeros as text. Arguments are
/// read as types that fit and as such that do not; what was read can be written and read again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    let options = input.option()
    var decoder = PacketDecoder(
        limits: PacketLimits(maxAttachments: 4, maxAttachmentBytes: 4096, maxDepth: 16),
        copiesPendingText: options & 1 != 0
    )
    var seen: [String] = []
    for (index, message) in input.shiftedRest.split(0xFF).prefix(16).enumerated() {
        do throws(SocketIOError) {
            // What is no UTF-8 is refused before it comes here.
            let isText = index == 0 || !decoder.isAwaitingAttachments
            guard !isText || String(validating: message.readableBytesView, as: UTF8.self) != nil else { break }
            guard let packet = isText ? try decoder.decode(text: message) : try decoder.decode(binary: message) else {
                continue
            }
            check(packet)
            if printsVerdicts { seen.append(describe(packet)) }
        } catch {
            seen.append("error")
            break
        }
    }
    if decoder.isAwaitingAttachments { seen.append("waiting") }
    verdict(seen.joined(separator: "|"))
    return 0
}

private struct Person: Codable {
    struct Address: Codable { var street: String?, number: Int }
    var name: String
    var age: UInt8
    var tags: [String]
    var address: Address?
    var photo: Data?
    var born: Date?
}

private enum Shape: Codable {
    case circle(radius: Double)
    case square(Int)
}

private func check(_ packet: Packet) {
    var arguments = packet.arguments
    guard let values = try? arguments.remainingValues() else { fatalError("arguments that can't be read") }
    read(packet.arguments, as: Person.self)
    read(packet.arguments, as: [String: SocketIOValue].self)
    read(packet.arguments, as: [[String: Int]].self)
    read(packet.arguments, as: Shape.self)
    read(packet.arguments, as: String?.self)
    read(packet.arguments, as: [Double].self)
    read(packet.arguments, as: Date.self)
    read(packet.arguments, as: Decimal.self)
    read(packet.arguments, as: UInt16.self)
    read(packet.arguments, as: Data.self)
    var skipping = packet.arguments
    for _ in values { skipping.skip() }
    demand(skipping.isAtEnd, "arguments that skipping does not reach")
    guard packet.type == .event else { return }
    do {
        let encoded = try PacketEncoder.event(packet.eventName, values: values)
        // Values are compared by their text: a large number may be read as a double and then, from its digits, as an integer.
        let again = try PacketEncoder.event(packet.eventName, values: try decodeOwnEvent(encoded).arguments)
        demand(again.frames == encoded.frames, "arguments that change")
    } catch {
        demand(false, "an event that can't be written: \(error)")
    }
}

private func read<T: Decodable>(_ arguments: ArgumentReader, as type: T.Type) {
    var arguments = arguments
    while !arguments.isAtEnd {
        let index = arguments.index
        if (try? arguments.next(type)) == nil { arguments.skip() }
        demand(arguments.index == index + 1, "an argument that was not passed")
    }
}

/// For verdicts: `type namespace id payload attachments`.
private func describe(_ packet: Packet) -> String {
    let type = packet.isBinary ? "binary \(packet.type)" : "\(packet.type)"
    let payload = packet.payload.map { String(buffer: $0) } ?? ""
    return
        "\(type) \(packet.namespace) \(packet.id.map(String.init) ?? "-") \(packet.attachments.map(\.hex)) \(payload)"
}
