import SocketIOCore
import Synchronization

/// Names a value that is kept with a socket: `extension SocketDataKey { static var user: SocketDataKey<User> { .init("user") } }`,
/// then `socket.data[.user] = user`. Values are `Codable` because other servers of a cluster may ask for them.
public struct SocketDataKey<Value: Codable & Sendable>: Sendable {
    public let name: String
    public init(_ name: String) { self.name = name }
}

/// The values kept with a socket. Safe to use from anywhere.
public final class SocketData: Sendable {
    private let all = Mutex<[String: any Codable & Sendable]>([:])

    init() {}

    /// The value of a key; nil if there is none, or one of another type.
    public subscript<Value>(_ key: SocketDataKey<Value>) -> Value? {
        get {
            switch self.all.withLock({ $0[key.name] }) {
            case let value as Value: return value
            case let value as SocketIOValue: return try? value.decode(Value.self)
            default: return nil
            }
        }
        set {
            // What is displaced is released outside the lock: its deinit may call back.
            let old = self.all.withLock { values in
                let old = values[key.name]
                values[key.name] = newValue
                return old
            }
            _ = old
        }
    }

    /// All values, encoded as for another server. Those that can't be encoded are left out.
    public var snapshot: [String: SocketIOValue] {
        self.values.compactMapValues { value in try? Self.encode(value) }
    }

    /// All values as they are.
    var values: [String: any Codable & Sendable] {
        get { self.all.withLock { $0 } }
        set {
            let old = self.all.withLock { all in
                let old = all
                all = newValue
                return old
            }
            _ = old
        }
    }

    private static func encode(_ value: some Codable & Sendable) throws -> SocketIOValue {
        try SocketIOValue(encoding: value)
    }
}
