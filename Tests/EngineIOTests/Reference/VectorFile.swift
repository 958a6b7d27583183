import Foundation
import Testing

/// The exchanges captured from the reference implementation.
struct VectorFile: Decodable {
    let v4: [Exchange]
    let v3: [Exchange]

    struct Exchange: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let options: Options
        let steps: [Step]
        let connectionErrors: [Refusal]?
        let serverCloseEvents: [CloseEvent]?

        var testDescription: String { self.name }
    }

    struct Options: Decodable, Sendable {
        var transports: [String]?
        var allowUpgrades: Bool?
        var pingInterval: Int?
        var pingTimeout: Int?
        var upgradeTimeout: Int?
        var maxHttpBufferSize: Int?
        var initialPacket: String?
        var addTrailingSlash: Bool?
        var cookie: Cookie?
        var cors: CORS?
        var allowRequest: String?
        var allowEIO3: Bool?
    }

    struct Cookie: Decodable, Sendable {
        var name: String?
        var path: String?
        var httpOnly: Bool?
        var sameSite: String?
        var maxAge: Int?

        private enum Key: String, CodingKey { case name, path, httpOnly, sameSite, maxAge }

        init(from decoder: any Decoder) throws {
            guard (try? decoder.singleValueContainer().decode(Bool.self)) == nil else { return }
            let container = try decoder.container(keyedBy: Key.self)
            self.name = try container.decodeIfPresent(String.self, forKey: .name)
            self.path = try container.decodeIfPresent(String.self, forKey: .path)
            self.httpOnly = try container.decodeIfPresent(Bool.self, forKey: .httpOnly)
            self.sameSite = try container.decodeIfPresent(String.self, forKey: .sameSite)
            self.maxAge = try container.decodeIfPresent(Int.self, forKey: .maxAge)
        }
    }

    struct CORS: Decodable, Sendable {
        var origins: [String]
        var credentials: Bool?
        var methods: [String]?
        var allowedHeaders: [String]?

        private enum Key: String, CodingKey { case origin, credentials, methods, allowedHeaders }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            if let origin = try? container.decode(String.self, forKey: .origin) {
                self.origins = [origin]
            } else {
                self.origins = try container.decode([String].self, forKey: .origin)
            }
            self.credentials = try container.decodeIfPresent(Bool.self, forKey: .credentials)
            self.methods = try container.decodeIfPresent([String].self, forKey: .methods)
            self.allowedHeaders = try container.decodeIfPresent([String].self, forKey: .allowedHeaders)
        }
    }

    struct Step: Decodable, Sendable {
        let request: Request?
        let websocket: WebSocket?
        let response: Response?
        let websocketSend: Frame?
        let websocketReceive: [Frame]?
        let connection: String?
        let note: String?
    }

    struct Request: Decodable, Sendable {
        let method: String
        let path: String
        let headers: [String: String]?
        let body: Frame?
        let note: String?
    }

    struct WebSocket: Decodable, Sendable { let path: String }

    struct Response: Decodable, Sendable {
        let status: String?
        let headers: [String: String]?
        let body: Frame?
        let noResponse: String?
        let ended: String?
        let closed: String?
    }

    struct Frame: Decodable, Sendable {
        var text: String?
        var binary: String?
        var rawText: String?
        var isClose = false
        var closeCode: UInt16?

        private enum Key: String, CodingKey { case text, binary, rawText, close }

        init(from decoder: any Decoder) throws {
            if let text = try? decoder.singleValueContainer().decode(String.self) {
                self.text = text
                return
            }
            let container = try decoder.container(keyedBy: Key.self)
            self.text = try container.decodeIfPresent(String.self, forKey: .text)
            self.binary = try container.decodeIfPresent(String.self, forKey: .binary)
            self.rawText = try container.decodeIfPresent(String.self, forKey: .rawText)
            self.isClose = container.contains(.close)
            self.closeCode = try container.decodeIfPresent(UInt16.self, forKey: .close)
        }

        var bytes: [UInt8] {
            guard let binary else { return Array((self.text ?? "").utf8) }
            let digits = Array(binary.utf8)
            return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
                UInt8(String(decoding: digits[$0...($0 + 1)], as: UTF8.self), radix: 16)
            }
        }
    }

    struct Refusal: Decodable, Sendable {
        let code: Int
        let message: String
    }

    struct CloseEvent: Decodable, Sendable { let reason: String }

    static func load() throws -> VectorFile {
        let url = try #require(Bundle.module.url(forResource: "Vectors/engineio-http", withExtension: "json"))
        return try JSONDecoder().decode(VectorFile.self, from: Data(contentsOf: url))
    }
}
