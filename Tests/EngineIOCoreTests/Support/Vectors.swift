import Foundation
import NIOCore
import Testing

@testable import EngineIOCore

/// The golden files, captured from the reference implementation.
enum Vectors {
    struct Data: Decodable {
        let bytes: ByteBuffer
        let isBinary: Bool

        private enum Keys: String, CodingKey { case bin = "$bin" }

        init(from decoder: any Decoder) throws {
            if let text = try? decoder.singleValueContainer().decode(String.self) {
                self.bytes = ByteBuffer(string: text)
                self.isBinary = false
            } else {
                let hex = try decoder.container(keyedBy: Keys.self).decode(String.self, forKey: .bin)
                self.bytes = ByteBuffer(hex: hex)
                self.isBinary = true
            }
        }
    }

    struct Packet: Decodable {
        let type: String
        let data: Data?

        /// Nil for `error`.
        var packet: EngineIOPacket? {
            let text = self.data?.bytes ?? ByteBuffer()
            switch self.type {
            case "open": return .open(text)
            case "close": return .close
            case "ping": return .ping(text)
            case "pong": return .pong(text)
            case "message": return self.data?.isBinary == true ? .binary(text) : .message(text)
            case "upgrade": return .upgrade
            case "noop": return .noop
            default: return nil
            }
        }
    }

    struct Frame: Decodable {
        let text: String?
        let binary: String?
    }

    struct PacketFile: Decodable {
        struct Case: Decodable {
            let name: String
            let packet: Packet
            let supportsBinary: Bool
            let encoded: Frame
        }
        struct Decode: Decodable {
            let input: Frame
            let packet: Packet
        }
        let cases: [Case]
        let decode: [Decode]
    }

    struct PayloadFile: Decodable {
        struct Case: Decodable {
            let name: String
            let packets: [Packet]
            let payload: String
        }
        struct Decode: Decodable {
            let payload: String
            let packets: [Packet]
        }
        let cases: [Case]
        let decode: [Decode]
    }

    static func load<File: Decodable>(_ name: String, as type: File.Type) throws -> File {
        let url = try #require(Bundle.module.url(forResource: "Vectors/\(name)", withExtension: "json"))
        return try JSONDecoder().decode(type, from: Foundation.Data(contentsOf: url))
    }
}
