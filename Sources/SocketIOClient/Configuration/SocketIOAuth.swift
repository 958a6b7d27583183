import SocketIOCore

/// What a client shows of itself when it joins a namespace: an object, the `auth` of the handshake on the server.
///
/// `["token": "abc"]`, any `Encodable` value that encodes as an object, or a closure that is called for every attempt:
/// `SocketIOAuth { ["token": try await tokens.current()] }`.
public struct SocketIOAuth: Sendable {
    enum Source: Sendable {
        case none
        case value(SocketIOValue)
        case provider(@Sendable () async throws -> SocketIOValue)
    }

    let source: Source

    /// Nothing is shown.
    public static let none = SocketIOAuth(source: .none)

    init(source: Source) { self.source = source }

    /// Always the same.
    public init(_ value: SocketIOValue) { self.init(source: .value(value)) }

    /// Always the same. A value that can't be encoded is an error of the attempts.
    public init<V: Encodable & Sendable>(_ value: V) {
        self.init(source: .provider { try SocketIOValue(encoding: value) })
    }

    /// Asked for at every attempt. What it throws is the attempt's error, with the code `auth_failed`: ``SocketIOClient/connect(timeout:)``
    /// throws it, and a reconnection tries again later.
    public init<V: Encodable & Sendable>(_ provider: @escaping @concurrent @Sendable () async throws -> V) {
        self.init(source: .provider { try SocketIOValue(encoding: try await provider()) })
    }
}

extension SocketIOAuth: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral members: (String, SocketIOValue)...) {
        self.init(.object(SocketIOValue.Object(members)))
    }
}
