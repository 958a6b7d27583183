import Foundation
import NIOCore
import SocketIO
import SocketIOCore
import Testing

/// The golden cases that were recorded between the official libraries and Redis.
enum RedisVectors {
    /// A group of cases with common options.
    struct Group: Sendable {
        var name: String
        var fields: SocketIOValue
        var cases: [Case]

        /// The uid that a server had in the recording.
        func uid(_ server: String) throws -> String { try #require(self.fields["uids"]?[server]?.stringValue) }

        /// A case by its name.
        subscript(name: String) -> Case {
            get throws { try #require(self.cases.first { $0.name == name }, "no case \"\(name)\"") }
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var fields: SocketIOValue
        var commands: [Command]

        var testDescription: String { self.name }
    }

    struct Command: Sendable {
        /// Who has sent it: `A`, `B`, `emitter`.
        var from: String
        /// Its name, as `PUBLISH`.
        var name: String
        /// Its other arguments, but for the payload of something published.
        var arguments: [String]
        /// What was published; nil for other commands and for payloads of which only parts were recorded.
        var payload: ByteBuffer?
        var fields: SocketIOValue

        /// The channel of something published.
        var channel: String { self.arguments.first ?? "" }
        /// What the payload means, tags replaced.
        var decoded: SocketIOValue { get throws { try RedisVectors.value(self.fields["decoded"] ?? .null) ?? .null } }
    }

    /// All groups of a file: `redis-adapter` or `redis-streams`.
    static func groups(_ file: String = "redis-adapter") throws -> [Group] {
        let groups = try #require(try Self.load(file)["groups"]?.arrayValue)
        return try groups.map { group in
            Group(
                name: try #require(group["name"]?.stringValue),
                fields: group,
                cases: try (group["cases"]?.arrayValue ?? []).map { entry in
                    Case(
                        name: try #require(entry["name"]?.stringValue),
                        fields: entry,
                        commands: try (entry["commands"]?.arrayValue ?? []).map(Self.command)
                    )
                }
            )
        }
    }

    static func group(_ name: String, of file: String = "redis-adapter") throws -> Group {
        try #require(try Self.groups(file).first { $0.name == name }, "no group \"\(name)\"")
    }

    private static func command(_ fields: SocketIOValue) throws -> Command {
        var arguments = (fields["args"]?.arrayValue ?? []).map { $0.stringValue ?? $0.description }
        if let channel = fields["channel"]?.stringValue { arguments = [channel] }
        return Command(
            from: fields["from"]?.stringValue ?? "",
            name: try #require(fields["command"]?.stringValue),
            arguments: arguments,
            payload: try fields["payload"]?.stringValue.map(Self.bytes),
            fields: fields
        )
    }

    /// The whole file.
    static func load(_ file: String) throws -> SocketIOValue {
        let url = try #require(
            Bundle.module.url(forResource: file, withExtension: "json", subdirectory: "Vectors"))
        var array = ByteBuffer(string: "[")
        array.writeBytes(try Data(contentsOf: url))
        array.writeString("]")
        var reader = try ArgumentReader(checking: array)
        return try reader.nextValue()
    }

    /// A value with its tags (`$bin`, `$undefined`, `$num`, `$date`) replaced; nil for `undefined`.
    static func value(_ tagged: SocketIOValue) throws -> SocketIOValue? {
        switch tagged {
        case .array(let elements): return .array(try elements.map { try Self.value($0) ?? .null })
        case .object(let object):
            if object["$undefined"] != nil { return nil }
            if let hex = object["$bin"]?.stringValue { return .binary(try Self.bytes(hex)) }
            if let milliseconds = object["$date"]?.doubleValue {
                return SocketIOValue(Date(timeIntervalSince1970: milliseconds / 1000))
            }
            switch object["$num"]?.stringValue {
            case "-0": return .double(-0.0)
            case "NaN": return .double(.nan)
            case "Infinity": return .double(.infinity)
            case "-Infinity": return .double(-.infinity)
            default: break
            }
            var result = SocketIOValue.Object()
            for (key, value) in object { if let value = try Self.value(value) { result[key] = value } }
            return .object(result)
        default: return tagged
        }
    }

    static func bytes(_ hex: String) throws -> ByteBuffer {
        let digits = Array(hex.utf8)
        var buffer = ByteBuffer()
        for index in stride(from: 0, to: digits.count, by: 2) {
            let byte = String(decoding: digits[index..<min(index + 2, digits.count)], as: UTF8.self)
            buffer.writeInteger(try #require(UInt8(byte, radix: 16)))
        }
        return buffer
    }
}
