import NIOCore

/// A command, with its name first.
public struct RedisCommand: Sendable, Hashable {
    public var arguments: [ByteBuffer]
    /// Which argument is the key or channel that decides on the node in Redis Cluster; nil: any node will do.
    public var keyIndex: Int?

    public init(arguments: [ByteBuffer], keyIndex: Int? = 1) {
        self.arguments = arguments
        self.keyIndex = keyIndex
    }

    /// A command of texts: `RedisCommand("GET", "key")`.
    public init(_ arguments: String..., keyIndex: Int? = 1) {
        self.init(arguments: arguments.map { ByteBuffer(string: $0) }, keyIndex: keyIndex)
    }
}

/// A reply of Redis, in the forms of RESP3, to which those of RESP2 are mapped.
public enum RedisValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    /// A simple, bulk or verbatim string, or a big number in digits.
    case string(ByteBuffer)
    /// An error, with its code first: `ERR unknown command`.
    case error(String)
    /// An array or a set.
    case array([RedisValue])
    /// A map, or the pairs of an attribute that has been asked for.
    case map([RedisPair])
}

/// An entry of a ``RedisValue/map(_:)``.
public struct RedisPair: Sendable, Hashable {
    public var key: RedisValue
    public var value: RedisValue

    public init(key: RedisValue, value: RedisValue) {
        self.key = key
        self.value = value
    }
}

extension RedisValue {
    /// The bytes of a string; nil for everything else.
    public var bytes: ByteBuffer? {
        if case .string(let bytes) = self { bytes } else { nil }
    }

    /// A string as text.
    public var text: String? { self.bytes.map { String(buffer: $0) } }

    /// An integer, or a string that is one.
    public var int: Int? {
        switch self {
        case .integer(let value): Int(exactly: value)
        case .string(let bytes): Int(String(buffer: bytes))
        default: nil
        }
    }

    /// The elements of an array, or keys and values of a map in turn, as RESP2 has them.
    public var elements: [RedisValue]? {
        switch self {
        case .array(let elements): elements
        case .map(let pairs): pairs.flatMap { [$0.key, $0.value] }
        default: nil
        }
    }
}

/// Something went wrong between this process and Redis.
public struct RedisError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of error it is.
    public struct Code: Sendable, Hashable, RawRepresentable {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        /// Redis has answered with an error; the message is Redis' own.
        public static let redis = Code(rawValue: "redis")
        /// So much waits to be sent that no more is taken.
        public static let bufferFull = Code(rawValue: "buffer_full")
        /// The connection broke when the command was on its way: whether it was executed is not known.
        public static let connectionLost = Code(rawValue: "connection_lost")
        /// No reply has come in time.
        public static let timeout = Code(rawValue: "timeout")
        /// The client was shut down.
        public static let closed = Code(rawValue: "closed")
        /// What was received is no RESP, or not what was asked for.
        public static let protocolViolation = Code(rawValue: "protocol_violation")
        /// The URL or an option is invalid.
        public static let configuration = Code(rawValue: "configuration")
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(self.code.rawValue): \(self.message)" }
}
