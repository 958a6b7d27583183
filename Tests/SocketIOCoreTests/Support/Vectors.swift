import Foundation
import NIOCore
import Testing

@testable import SocketIOCore

/// The golden cases captured from the reference implementation.
enum Vectors {
    /// `socketio-v5-packets.json`.
    static func packets() throws -> SocketIOValue {
        let url = try #require(
            Bundle.module.url(forResource: "socketio-v5-packets", withExtension: "json", subdirectory: "Vectors")
        )
        let text = try ByteBuffer(Data(contentsOf: url))
        let result = text.withUnsafeReadableBytes { JSONScan.scan($0, maxDepth: 512) }
        let summary = try result.get()
        #expect(summary.kind == .object)
        var reader = ArgumentReader(value: text, attachments: [])
        return try reader.nextValue()
    }

    static func cases(_ name: String) throws -> [SocketIOValue] {
        try #require(try Self.packets()[name]?.arrayValue)
    }

    /// A value of the vectors with their tags (`$bin`, `$undefined`, `$num`, `$date`) replaced; `nil` for `undefined`.
    static func value(_ tagged: SocketIOValue) throws -> SocketIOValue? {
        switch tagged {
        case .array(let elements):
            return .array(try elements.map { try Self.value($0) ?? .null })
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
            for (key, value) in object {
                if let value = try Self.value(value) { result[key] = value }
            }
            return .object(result)
        default: return tagged
        }
    }

    static func bytes(_ hex: String) throws -> ByteBuffer {
        var buffer = ByteBuffer()
        var rest = Substring(hex)
        while !rest.isEmpty {
            buffer.writeInteger(try #require(UInt8(rest.prefix(2), radix: 16)))
            rest = rest.dropFirst(2)
        }
        return buffer
    }
}

/// One message of a connection, below the type character of Engine.IO.
enum Message: Equatable, CustomStringConvertible {
    case text(String)
    case binary([UInt8])

    init(vector: SocketIOValue) throws {
        if let text = vector["text"]?.stringValue {
            self = .text(text)
        } else {
            self = .binary(Array(buffer: try Vectors.bytes(try #require(vector["binary"]?.stringValue))))
        }
    }

    var description: String {
        switch self {
        case .text(let text): text
        case .binary(let bytes): "\(bytes)"
        }
    }
}

/// The messages in the WebSocket frames of a packet; checks the form of the frames.
func messages(_ packet: EncodedPacket) throws -> [Message] {
    var frames = packet.frames
    var result: [Message] = []
    while frames.readableBytes > 0 {
        let header = try #require(frames.getBytes(at: frames.readerIndex, length: 2))
        let length = Int(header[1])
        let (opcode, payload) = try #require(ServerFrame.read(from: &frames))
        #expect(header[0] == 0x80 | opcode)
        let size = payload.readableBytes
        #expect(length == (size < 126 ? size : size <= 0xFFFF ? 126 : 127))
        if opcode == 1 {
            let text = String(buffer: payload)
            #expect(text.hasPrefix("4"))
            result.append(.text(String(text.dropFirst())))
        } else {
            #expect(opcode == 2)
            result.append(.binary(Array(buffer: payload)))
        }
    }
    #expect(result.count == packet.attachmentCount + 1)
    return result
}

/// JSON text of one argument and its attachments.
func encode<T: Encodable>(_ value: T) throws -> (json: String, attachments: [ByteBuffer]) {
    var writer = JSONWriter()
    try writer.encode(value)
    return (String(buffer: writer.bytes), writer.attachments)
}

func json<T: Encodable>(_ value: T) throws -> String { try encode(value).json }

/// Decodes the elements of `array` as arguments.
func reader(_ array: String, _ attachments: [ByteBuffer] = []) throws -> ArgumentReader {
    try ArgumentReader(checking: ByteBuffer(string: array), attachments: attachments)
}

func decode<T: Decodable>(_ type: T.Type, _ value: String, _ attachments: [ByteBuffer] = []) throws -> T {
    var arguments = try reader("[\(value)]", attachments)
    let result = try arguments.next(type)
    #expect(arguments.isAtEnd)
    return result
}

/// The code of the error that `body` throws.
func code(_ body: () throws -> Void) -> SocketIOError.Code? {
    do {
        try body()
        return nil
    } catch {
        return (error as? SocketIOError)?.code
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
