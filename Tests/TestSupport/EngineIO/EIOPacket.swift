import Foundation

/// A message of a session.
package enum EIOMessage: Sendable, Equatable {
    /// Text without the packet type.
    case text(String)
    /// Bytes.
    case binary([UInt8])
}

/// A packet of Engine.IO 4.
enum EIOPacket: Sendable, Equatable {
    /// Text with its type character in front.
    case text(String)
    case binary([UInt8])

    init(_ message: EIOMessage) {
        switch message {
        case .text(let text): self = .text("4" + text)
        case .binary(let bytes): self = .binary(bytes)
        }
    }

    /// Reads a packet from a payload or a text frame.
    init(parsing text: Substring) throws {
        guard let first = text.utf8.first else { throw PeerError("an empty packet") }
        if first == UInt8(ascii: "b") {
            guard let data = Data(base64Encoded: String(text).withoutType) else {
                throw PeerError("wrong base64 in \"\(text.prefix(60))\"")
            }
            self = .binary(Array(data))
        } else if (UInt8(ascii: "0")...UInt8(ascii: "6")).contains(first) {
            self = .text(String(text))
        } else {
            throw PeerError("an unknown packet \"\(text.prefix(60))\"")
        }
    }

    /// The packets of a polling payload.
    static func payload(_ body: [UInt8]) throws -> [EIOPacket] {
        guard let text = String(validating: body, as: UTF8.self) else { throw PeerError("a payload that is not UTF-8") }
        return try text.unicodeScalars.split(separator: "\u{1E}", omittingEmptySubsequences: false)
            .map { try EIOPacket(parsing: Substring($0)) }
    }

    /// The form in a payload.
    var payloadText: String {
        switch self {
        case .text(let text): text
        case .binary(let bytes): "b" + Data(bytes).base64EncodedString()
        }
    }

    /// The form on a WebSocket.
    var frame: RawFrame {
        switch self {
        case .text(let text): RawFrame(opcode: 1, payload: Array(text.utf8))
        case .binary(let bytes): RawFrame(opcode: 2, payload: bytes)
        }
    }
}

extension String {
    /// The text behind its type character. By scalars: a combining one may follow, which makes one `Character` of both.
    var withoutType: String { String(unicodeScalars.dropFirst()) }
}

/// What the server says when a session opens.
package struct EIOHandshake: Sendable, Equatable {
    /// Session id.
    package let sid: String
    /// Transports the session may be upgraded to.
    package let upgrades: [String]
    /// Milliseconds.
    package let pingInterval: Int
    /// Milliseconds.
    package let pingTimeout: Int
    /// Bytes.
    package let maxPayload: Int
    /// The JSON as it came.
    package let json: String

    /// Reads the data of an `open` packet.
    package init(json: String) throws {
        guard let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any],
            let sid = object["sid"] as? String, !sid.isEmpty,
            let upgrades = object["upgrades"] as? [String],
            let pingInterval = object["pingInterval"] as? Int,
            let pingTimeout = object["pingTimeout"] as? Int,
            let maxPayload = object["maxPayload"] as? Int,
            [pingInterval, pingTimeout, maxPayload].allSatisfy({ (0...Int(Int32.max)).contains($0) })
        else { throw PeerError("a wrong handshake: \(json)") }
        self.sid = sid
        self.upgrades = upgrades
        self.pingInterval = pingInterval
        self.pingTimeout = pingTimeout
        self.maxPayload = maxPayload
        self.json = json
    }
}

/// How to open a session.
package struct EIOOptions: Sendable {
    /// The two transports of Engine.IO over HTTP/1.1.
    package enum Transport: String, Sendable {
        /// HTTP long-polling.
        case polling
        /// WebSocket.
        case websocket
    }

    /// Where to connect.
    package var host = "127.0.0.1"
    /// Where to connect.
    package var port: Int
    /// The endpoint with both slashes.
    package var path = "/socket.io/"
    /// The transport to begin with.
    package var transport: Transport
    /// More query parameters, encoded, such as `token=1&x=2`; they come first.
    package var query = ""
    /// More header fields of every request.
    package var headers: [(String, String)] = []
    /// Whether pings are answered.
    package var autoPong = true
    /// Whether the session is closed when no ping comes in time.
    package var watchesHeartbeat = true
    /// Size of the receive buffers of the sockets in bytes.
    package var receiveBuffer: Int?
    /// Deadline of each request except polls.
    package var timeout = defaultTimeout

    /// Options with the defaults of the official client.
    package init(port: Int, transport: Transport = .polling) {
        self.port = port
        self.transport = transport
    }
}

/// What a client has seen and sent so far.
package struct EIOCounts: Sendable, Equatable {
    /// Answered polls.
    package var polls = 0
    /// Answered POST requests.
    package var posts = 0
    /// Messages received.
    package var messagesIn = 0
    /// Messages sent or waiting to be.
    package var messagesOut = 0
    /// Bytes of text and binary data received in messages.
    package var bytesIn = 0
    /// Pings received.
    package var pings = 0
    /// Pongs sent or waiting to be.
    package var pongs = 0
    /// Noops received.
    package var noops = 0
}

/// The session is closed.
package struct EIOClosed: Error, Equatable, CustomStringConvertible {
    /// As the official client calls it: `transport close`, `transport error`, `ping timeout`, `parse error`,
    /// `forced close`.
    package let reason: String
    /// What happened, for people.
    package let detail: String

    package var description: String { "session closed: \(reason)" + (detail.isEmpty ? "" : " (\(detail))") }
}

/// The server refused a request that opens a session.
package struct EIORefused: Error, CustomStringConvertible {
    /// The answer.
    package let reply: HTTPReply

    /// Its status code.
    package var status: Int { reply.status }
    /// The code in the JSON of the answer, if there is one.
    package var code: Int? { (try? reply.json() as? [String: Any])?["code"] as? Int }
    package var description: String { "session refused: \(reply)" }
}
