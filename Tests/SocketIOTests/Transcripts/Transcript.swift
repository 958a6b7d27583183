import Foundation
import SocketIO
import Testing

/// Frames that a raw client exchanged with the reference server, and what its application saw.
struct Transcript: Decodable, Sendable, CustomTestStringConvertible {
    struct Body: Decodable, Sendable {
        var text: String?
        var binary: String?
    }

    struct Frame: Decodable, Sendable {
        var text: String?
        var binary: String?
        var reason: String?
    }

    struct Request: Decodable, Sendable {
        var method: String
        var path: String
        var body: Body?
    }

    struct Response: Decodable, Sendable {
        var status: String
        var contentType: String
        var body: Body
    }

    struct Step: Decodable, Sendable {
        var websocket: String?
        var client: Frame?
        var server: Frame?
        var note: String?
        var serverAction: String?
        var request: Request?
        var response: Response?
    }

    struct ServerEvent: Decodable, Sendable {
        var event: String
        var nsp: String?
        var id: String?
        var auth: SocketIOValue?
        var query: [String: String]?
        var args: [SocketIOValue]?
        var reason: String?
        var rooms: [String]?
        var message: String?
    }

    /// Times in milliseconds. They are multiplied by ``slowness``, so that a busy machine does not miss them.
    struct Options: Decodable, Sendable {
        var connectTimeout: Int?
        var pingInterval: Int?
        var pingTimeout: Int?
    }

    /// Whether the client speaks protocol 4.
    var isVersion4 = false

    private enum CodingKeys: String, CodingKey { case name, options, steps, serverEvents }

    var name: String
    var options: Options
    var steps: [Step]
    var serverEvents: [ServerEvent]

    var testDescription: String { self.name }

    private struct File: Decodable {
        var v5: [Transcript]
        var v4: [Transcript]
    }

    static let slowness = 25

    /// A frame of the server with its times multiplied.
    func slowed(_ text: String) -> String {
        var text = text
        for (name, time) in [("pingInterval", self.options.pingInterval), ("pingTimeout", self.options.pingTimeout)] {
            guard let time else { continue }
            text = text.replacing("\"\(name)\":\(time)", with: "\"\(name)\":\(time * Self.slowness)")
        }
        return text
    }

    /// All of protocol 5, and then of protocol 4. Empty when the file is missing, which a test of its own reports.
    static let all: [Transcript] = {
        guard
            let url = Bundle.module.url(
                forResource: "socketio-transcripts", withExtension: "json", subdirectory: "Vectors"),
            let data = try? Data(contentsOf: url),
            let file = try? JSONDecoder().decode(File.self, from: data)
        else { return [] }
        return file.v5
            + file.v4.map { transcript in
                var transcript = transcript
                transcript.isVersion4 = true
                transcript.name = "protocol 4: " + transcript.name
                return transcript
            }
    }()

    /// A value of the file with its tag for binary data replaced.
    static func untagged(_ value: SocketIOValue) -> SocketIOValue {
        switch value {
        case .array(let elements): return .array(elements.map(Self.untagged))
        case .object(let object):
            if let hex = object["$bin"]?.stringValue { return .string("binary " + hex) }
            return .object(.init(object.sorted { $0.key < $1.key }.map { ($0.key, Self.untagged($0.value)) }))
        default: return value
        }
    }
}
