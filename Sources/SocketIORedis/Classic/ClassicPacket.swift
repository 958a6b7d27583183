import MessagePack
import NIOCore
import SocketIO
import SocketIOCore

/// A message is not what this protocol has there.
struct MalformedMessage: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Packets and targets as they stand in messages, keys in the reference's order.
enum ClassicPacket {
    /// Type of a packet: an event. Old emitters say 5 if there is binary data in it.
    static let event = 2
    static let binaryEvent = 5

    /// Whether these are the first bytes of JSON: an object or an array, which in MessagePack are the numbers 123 and 91.
    static func isJSON(_ payload: ByteBuffer) -> Bool {
        let first: UInt8? = payload.getInteger(at: payload.readerIndex)
        return first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
    }

    // MARK: Writing

    /// `{type, data, nsp}`. The arguments go from text to MessagePack, not through values.
    static func write(_ packet: BroadcastPacket, namespace: String, to writer: inout MessagePackWriter) throws {
        let (json, attachments) = try packet.encoded.event(namespace: namespace)
        writer.writeMapHeader(3)
        writer.write("type")
        writer.write(Self.event)
        writer.write("data")
        try writer.writeJSON(json, attachments: attachments)
        writer.write("nsp")
        writer.write(namespace)
    }

    /// `{rooms, except, flags}`
    static func write(_ target: BroadcastTarget, to writer: inout MessagePackWriter) {
        writer.writeMapHeader(3)
        writer.write("rooms")
        Self.write(target.rooms, to: &writer)
        writer.write("except")
        Self.write(target.except, to: &writer)
        writer.write("flags")
        let flags = target.flags
        let milliseconds = flags.timeout.map(Self.milliseconds)
        writer.writeMapHeader(
            (flags.compress == nil ? 0 : 1) + (flags.volatile ? 1 : 0) + (flags.expectsSingleResponse ? 1 : 0)
                + (milliseconds == nil ? 0 : 1))
        // `broadcast` is no flag of the reference's messages any more: it is in `except`.
        if let compress = flags.compress {
            writer.write("compress")
            writer.writeBool(compress)
        }
        if flags.volatile {
            writer.write("volatile")
            writer.writeBool(true)
        }
        if flags.expectsSingleResponse {
            writer.write("expectSingleResponse")
            writer.writeBool(true)
        }
        if let milliseconds {
            writer.write("timeout")
            writer.write(milliseconds)
        }
    }

    private static func write(_ rooms: [Room], to writer: inout MessagePackWriter) {
        writer.writeArrayHeader(rooms.count)
        for room in rooms { writer.write(room.name) }
    }

    /// `{rooms, except}`, for requests in JSON.
    static func options(_ target: BroadcastTarget) -> SocketIOValue {
        [
            "rooms": .array(target.rooms.map { .string($0.name) }),
            "except": .array(target.except.map { .string($0.name) }),
        ]
    }

    static func milliseconds(_ duration: Duration) -> Int {
        let (seconds, attoseconds) = max(.zero, min(duration, .seconds(1_000_000_000))).components
        return Int(seconds) * 1000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }

    // MARK: Reading

    /// Whom `{rooms, except, flags}` names. `except` and `flags` may be missing; rooms may be numbers.
    static func target(_ options: SocketIOValue?) throws -> BroadcastTarget {
        guard let options = options?.objectValue else { throw MalformedMessage("no opts") }
        var target = BroadcastTarget(rooms: try Self.rooms(options["rooms"]))
        if let except = options["except"], !except.isNull { target.except = try Self.rooms(except) }
        let flags = options["flags"]
        target.flags.volatile = flags?["volatile"]?.boolValue ?? false
        target.flags.compress = flags?["compress"]?.boolValue
        if let timeout = flags?["timeout"]?.doubleValue, timeout >= 0 {
            target.flags.timeout = .milliseconds(Int(min(timeout, Self.maxTimeout)))
        }
        return target
    }

    /// An hour: nothing is kept longer for a stranger.
    private static let maxTimeout: Double = 3_600_000

    /// A list with anything else in it is refused as a whole: without that room it would mean others.
    static func rooms(_ value: SocketIOValue?) throws -> [Room] {
        guard let elements = value?.arrayValue else { throw MalformedMessage("no rooms") }
        return try elements.map { element in
            guard let room = Room(element) else { throw MalformedMessage("a room that has no name") }
            return room
        }
    }

    /// As ``target(_:)-(SocketIOValue?)``, without making values of it. What `flags` has for acknowledgements is passed over.
    static func target(_ reader: inout MessagePackReader) throws -> BroadcastTarget {
        var rooms: [Room]?
        var target = BroadcastTarget()
        for _ in 0..<(try reader.readMapHeader()) {
            switch try reader.readText() {
            case "rooms": rooms = try Self.rooms(&reader)
            case "except": if try !reader.readNull() { target.except = try Self.rooms(&reader) }
            case "flags": if try !reader.readNull() { try Self.readFlags(&reader, &target.flags) }
            default: try reader.skip()
            }
        }
        guard let rooms else { throw MalformedMessage("no rooms") }
        target.rooms = rooms
        return target
    }

    private static func rooms(_ reader: inout MessagePackReader) throws -> [Room] {
        let count = try reader.readArrayHeader()
        guard count > 0 else { return [] }
        return try (0..<count).map { _ in
            let kind = try reader.peekKind()
            guard kind == .string || kind == .number else { throw MalformedMessage("a room that has no name") }
            return Room(try reader.readText())
        }
    }

    private static func readFlags(_ reader: inout MessagePackReader, _ flags: inout BroadcastFlags) throws {
        for _ in 0..<(try reader.readMapHeader()) {
            let name = try reader.readText()
            guard name == "volatile" || name == "compress", try reader.peekKind() == .bool else {
                try reader.skip()
                continue
            }
            let value = try reader.readBool()
            if name == "volatile" { flags.volatile = value } else { flags.compress = value }
        }
    }

    /// The packet `{type, data, nsp}`; nil if it is for another namespace.
    static func packet(_ value: SocketIOValue?, namespace: String) throws -> BroadcastPacket? {
        guard let packet = value?.objectValue else { throw MalformedMessage("no packet") }
        guard let type = packet["type"]?.intValue, type == Self.event || type == Self.binaryEvent else {
            throw MalformedMessage("a packet that is no event")
        }
        let target = packet["nsp"] ?? .null
        guard target.isNull ? namespace == "/" : target.stringValue == namespace else { return nil }
        let (name, arguments) = try Self.event(packet["data"])
        return try BroadcastPacket(event: name, arguments: arguments, namespace: namespace)
    }

    /// The name and the arguments of `[event, …args]`.
    static func event(_ data: SocketIOValue?) throws -> (name: String, arguments: [SocketIOValue]) {
        guard let elements = data?.arrayValue, let first = elements.first else { throw MalformedMessage("no event") }
        switch first {
        case .string(let name): return (name, Array(elements.dropFirst()))
        case .int(let number): return (String(number), Array(elements.dropFirst()))
        default: throw MalformedMessage("an event without a name")
        }
    }
}
