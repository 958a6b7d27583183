import Foundation
import NIOCore
import Testing

@testable import EngineIOCore

/// The golden file of protocol 3.
struct Version3File: Decodable {
    /// A packet whose type may be one that the reference has no name for.
    struct Packet: Decodable {
        let packet: EngineIOPacket?

        private enum Keys: String, CodingKey { case type }

        init(from decoder: any Decoder) throws {
            let type = try? decoder.container(keyedBy: Keys.self).decode(String.self, forKey: .type)
            self.packet = try type == nil ? nil : Vectors.Packet(from: decoder).packet
        }
    }

    struct Frame: Decodable {
        let text: String?
        let utf8: String?
        let binary: String?

        var isBinary: Bool { self.binary != nil }

        var bytes: ByteBuffer {
            if let hex = self.binary ?? self.utf8 { return ByteBuffer(hex: hex) }
            return ByteBuffer(string: self.text ?? "")
        }
    }

    struct Encoded: Decodable {
        let packet: Packet
        let supportsBinary: Bool
        let encoded: Frame
    }

    struct PacketDecode: Decodable {
        let input: Frame
        let packet: Packet
    }

    struct Case: Decodable {
        let name: String?
        let packets: [Packet]
        let supportsBinary: Bool
        let payload: Frame
    }

    struct PayloadDecode: Decodable {
        let input: Frame
        let packets: [Packet]
    }

    let packets: [Encoded]
    let packetDecode: [PacketDecode]
    let cases: [Case]
    let decode: [PayloadDecode]

    static func load() throws -> Version3File {
        let url = try #require(Bundle.module.url(forResource: "Vectors/engineio-v3-payloads", withExtension: "json"))
        // Halves of characters, which no text can hold: they leave as U+FFFD, of the same lengths.
        let text = try String(contentsOf: url, encoding: .utf8)
            .replacing("\\ud800b", with: "\\ufffdb").replacing("\"\\ud83d\"", with: "\"\\ufffd\"")
        return try JSONDecoder().decode(Version3File.self, from: Data(text.utf8))
    }
}
