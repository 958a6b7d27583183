import Foundation
import NIOCore
import SocketIOCore

/// A parser that nobody else has: the head of a packet as text, its data behind it as JSON that is written backwards.
struct BackwardsParser: SocketIOParser {
    struct Malformed: Error {}

    func encode(_ packet: SocketIOPacket) throws -> [EngineMessage] {
        let id = packet.id.map { "\($0)" } ?? ""
        let head = ByteBuffer(string: "\(packet.kind.rawValue) \(id) \(packet.namespace)")
        guard let data = packet.data else { return [.text(head), .binary(ByteBuffer())] }
        let json = try JSONEncoder().encode([Self.packed(data)])
        return [.text(head), .binary(ByteBuffer(bytes: json.reversed()))]
    }

    func makeDecoder(limits: ParserLimits) -> Decoder { Decoder() }

    struct Decoder: SocketIOPacketDecoder {
        private var head: SocketIOPacket?

        mutating func feed(_ message: EngineMessage) throws -> SocketIOPacket? {
            switch message {
            case .text(let text):
                let parts = String(buffer: text).split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
                guard self.head == nil, parts.count == 3, let number = Int(parts[0]),
                    let kind = SocketIOPacket.Kind(rawValue: number)
                else { throw Malformed() }
                self.head = SocketIOPacket(kind, namespace: String(parts[2]), id: Int(parts[1]))
                return nil
            case .binary(let bytes):
                guard var packet = self.head.take() else { throw Malformed() }
                if bytes.readableBytes > 0 {
                    let values = try JSONDecoder().decode(
                        [SocketIOValue].self, from: Data(bytes.readableBytesView.reversed()))
                    guard let value = values.first else { throw Malformed() }
                    packet.data = try BackwardsParser.unpacked(value)
                }
                return packet
            }
        }
    }

    /// JSON has no binary data.
    private static func packed(_ value: SocketIOValue) -> SocketIOValue {
        switch value {
        case .binary(let bytes): ["$bytes": .string(Data(bytes.readableBytesView).base64EncodedString())]
        case .array(let elements): .array(elements.map(Self.packed))
        case .object(let object): .object(.init(object.map { ($0.key, Self.packed($0.value)) }))
        default: value
        }
    }

    private static func unpacked(_ value: SocketIOValue) throws -> SocketIOValue {
        switch value {
        case .array(let elements): return .array(try elements.map(Self.unpacked))
        case .object(let object):
            if let text = object["$bytes"]?.stringValue {
                guard let data = Data(base64Encoded: text) else { throw Malformed() }
                return .binary(ByteBuffer(bytes: data))
            }
            return .object(.init(try object.map { ($0.key, try Self.unpacked($0.value)) }))
        default: return value
        }
    }
}
