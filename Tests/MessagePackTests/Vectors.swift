import Foundation
import NIOCore
import Testing

@testable import MessagePack
@testable import SocketIOCore

/// The golden cases captured from the three libraries.
enum Vectors {
    /// The names under which the libraries stand there.
    static let libraries = ["notepack2", "notepack3", "msgpackjs"]

    static func name(_ dialect: MessagePackDialect) -> String {
        switch dialect {
        case .notepack3: "notepack3"
        case .msgpackJS: "msgpackjs"
        }
    }

    static func list(_ name: String, of file: String = "msgpack-primitives") throws -> [SocketIOValue] {
        let url = try #require(
            Bundle.module.url(forResource: file, withExtension: "json", subdirectory: "Vectors")
        )
        var reader = ArgumentReader(value: try ByteBuffer(Data(contentsOf: url)), attachments: [])
        return try #require(try reader.nextValue()[name]?.arrayValue)
    }

    /// All bytes of the vectors, sound and unsound, in every dialect.
    static func samples() throws -> [ByteBuffer] {
        var samples: [ByteBuffer] = []
        for vector in try Self.list("cases") {
            for library in Self.libraries {
                if let text = vector[library]?.stringValue { samples.append(try bytes(text)) }
            }
        }
        for vector in try Self.list("foreign") {
            samples.append(try bytes(try #require(vector["bytes"]?.stringValue)))
        }
        return samples
    }

    /// A value of the vectors with their tags replaced; `nil` for `undefined`.
    ///
    /// - Parameter keepsUndefined: whether a member that is `undefined` is there as `null`, or not at all.
    static func value(_ tagged: SocketIOValue, keepsUndefined: Bool = false) throws -> SocketIOValue? {
        switch tagged {
        case .array(let elements):
            return .array(try elements.map { try Self.value($0, keepsUndefined: keepsUndefined) ?? .null })
        case .object(let object):
            if object["$undefined"] != nil { return nil }
            if let hex = object["$bin"]?.stringValue { return .binary(try bytes(hex)) }
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
            for (key, value) in object {
                if let value = try Self.value(value, keepsUndefined: keepsUndefined) {
                    result[key] = value
                } else if keepsUndefined {
                    result[key] = .null
                }
            }
            return .object(result)
        default: return tagged
        }
    }
}

func bytes(_ hex: String) throws -> ByteBuffer {
    var buffer = ByteBuffer()
    var rest = Substring(hex)
    while !rest.isEmpty {
        buffer.writeInteger(try #require(UInt8(rest.prefix(2), radix: 16)))
        rest = rest.dropFirst(2)
    }
    return buffer
}

func hex(_ buffer: ByteBuffer) -> String {
    Array(buffer: buffer).map { String($0 >> 4, radix: 16) + String($0 & 0xF, radix: 16) }.joined()
}

/// The first bytes of something long.
func head(_ buffer: ByteBuffer) -> String {
    hex(buffer.getSlice(at: buffer.readerIndex, length: min(16, buffer.readableBytes)) ?? ByteBuffer())
}

/// The value that `buffer` is, which must have no bytes behind it.
func decode(_ buffer: ByteBuffer, maxDepth: Int = 128) throws -> SocketIOValue {
    var reader = MessagePackReader(buffer, maxDepth: maxDepth)
    let value = try reader.read()
    try reader.expectEnd()
    return value
}

func decode(_ hex: String, maxDepth: Int = 128) throws -> SocketIOValue {
    try decode(bytes(hex), maxDepth: maxDepth)
}

func encode(_ value: SocketIOValue, _ dialect: MessagePackDialect = .notepack3) throws -> ByteBuffer {
    var writer = MessagePackWriter(dialect)
    try writer.write(value)
    return writer.buffer
}

/// The bytes of JSON text.
func encode(
    json: ByteBuffer,
    _ attachments: [ByteBuffer] = [],
    _ dialect: MessagePackDialect = .notepack3
) throws -> ByteBuffer {
    var writer = MessagePackWriter(dialect)
    try writer.writeJSON(json, attachments: attachments)
    return writer.buffer
}

func encode(json: String, _ attachments: [ByteBuffer] = [], _ dialect: MessagePackDialect = .notepack3) throws -> String
{
    hex(try encode(json: ByteBuffer(string: json), attachments, dialect))
}

/// What the JSON writer makes of a value.
func json(_ value: SocketIOValue) throws -> (text: String, attachments: [ByteBuffer]) {
    var writer = JSONWriter()
    try writer.write(value)
    return (String(buffer: writer.bytes), writer.attachments)
}

/// What the transcoder makes of bytes, of which it must leave none.
func transcode(_ buffer: ByteBuffer, maxDepth: Int = 128) throws -> (text: String, attachments: [ByteBuffer]) {
    var reader = MessagePackReader(buffer, maxDepth: maxDepth)
    var attachments: [ByteBuffer] = []
    var text = ByteBuffer()
    try MessagePackTranscoder.json(from: &reader, attachments: &attachments, into: &text)
    try reader.expectEnd()
    return (String(buffer: text), attachments)
}

/// Equality with NaN equal to itself, by the text of both and their attachments.
func isSame(_ left: SocketIOValue, _ right: SocketIOValue) throws -> Bool {
    if left == right { return true }
    return String(describing: left) == String(describing: right) && hasNaN(left) && hasNaN(right)
}

private func hasNaN(_ value: SocketIOValue) -> Bool {
    switch value {
    case .double(let value): value.isNaN
    case .array(let elements): elements.contains(where: hasNaN)
    case .object(let object): object.contains { hasNaN($0.value) }
    default: false
    }
}

/// The code of the error that `body` throws.
func code(_ body: () throws -> Void) -> MessagePackError.Code? {
    do {
        try body()
        return nil
    } catch {
        return (error as? MessagePackError)?.code
    }
}

/// A small generator with a fixed sequence.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
