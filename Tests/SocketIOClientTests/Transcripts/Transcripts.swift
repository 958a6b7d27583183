import Foundation
import NIOCore
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIOClient

/// The frames of the reference's client and server, and what its applications saw.
enum Transcripts {
    struct Case: Sendable, CustomTestStringConvertible {
        let value: SocketIOValue

        var name: String { self.value["name"]?.stringValue ?? "" }
        var testDescription: String { self.name }
    }

    static func recovery() throws -> [Case] {
        try #require(try Self.file("socketio-session-recovery")["cases"]?.arrayValue).map { Case(value: $0) }
    }

    /// Protocol 5, without those in which a client breaks the rules.
    static func sessions() throws -> [Case] {
        let all = try #require(try Self.file("socketio-transcripts")["v5"]?.arrayValue)
        return all.map { Case(value: $0) }.filter { Self.lawful.contains($0.name) }
    }

    static let lawful: Set<String> = [
        "connect to /", "connect with auth", "connect to a namespace", "two namespaces on one connection",
        "unknown namespace", "namespace with a query string is another namespace", "middleware refuses",
        "middleware refuses with data", "dynamic namespace", "events and acknowledgements", "binary",
        "client leaves the namespace", "server: socket.disconnect()", "server: socket.disconnect(true)",
        "server: io.disconnectSockets()", "server: io.close()",
        "missed: packets sent in the connection handler come after CONNECT",
    ]

    private static func file(_ name: String) throws -> SocketIOValue {
        let url = try #require(Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Vectors"))
        var reader = try ArgumentReader(
            checking: ByteBuffer(string: "[" + String(contentsOf: url, encoding: .utf8) + "]"))
        return try reader.nextValue()
    }

    /// A value with its tag for binary data replaced.
    static func untagged(_ value: SocketIOValue) -> SocketIOValue {
        switch value {
        case .array(let elements): return .array(elements.map(Self.untagged))
        case .object(let object):
            if let hex = object["$bin"]?.stringValue { return .binary(ByteBuffer(bytes: bytes(hex))) }
            return .object(.init(object.map { ($0.key, Self.untagged($0.value)) }))
        default: return value
        }
    }

    /// A packet from the frames of a transcript, without Engine.IO's type.
    static func packet(_ frames: [String]) throws -> Packet {
        var decoder = PacketDecoder()
        var packet: Packet?
        for frame in frames {
            if frame.hasPrefix("b:") {
                packet = try decoder.decode(binary: ByteBuffer(bytes: bytes(String(frame.dropFirst(2)))))
            } else {
                packet = try decoder.decode(text: ByteBuffer(string: frame))
            }
        }
        return try #require(packet)
    }

    /// A frame: text without Engine.IO's type, or `b:` and hexadecimal digits.
    static func frame(_ frame: SocketIOValue) -> String? {
        if let text = frame["text"]?.stringValue { return String(text.dropFirst()) }
        return frame["binary"]?.stringValue.map { "b:" + $0 }
    }

    /// The frames of a side, those of one packet together, and the other steps as they are.
    enum Step {
        case client([String])
        case server([String])
        case other(SocketIOValue)
    }

    static func steps(_ list: [SocketIOValue]) -> [Step] {
        var steps: [Step] = []
        for value in list {
            if let frame = value["client"].flatMap(Self.frame) {
                if frame.hasPrefix("b:"), case .client(let before)? = steps.last {
                    steps[steps.count - 1] = .client(before + [frame])
                } else {
                    steps.append(.client([frame]))
                }
            } else if let frame = value["server"].flatMap(Self.frame) {
                if frame.hasPrefix("b:"), case .server(let before)? = steps.last {
                    steps[steps.count - 1] = .server(before + [frame])
                } else {
                    steps.append(.server([frame]))
                }
            } else {
                steps.append(.other(value))
            }
        }
        return steps
    }
}

extension FakeEngine {
    /// Sends frames of a transcript.
    func receive(frames: [String]) {
        for frame in frames {
            if frame.hasPrefix("b:") {
                self.receive(binary: bytes(String(frame.dropFirst(2))))
            } else {
                self.receive(frame)
            }
        }
    }
}
