import EngineIO
import EngineIOCore
import SocketIOCore

/// The events that one socket may send by time, or the CONNECT packets of a connection.
///
/// `@unchecked Sendable`: it is used inside the gate of the session alone.
final class EventRate: @unchecked Sendable {
    let limit: RateLimit
    var bucket: TokenBucket
    /// The log has been told.
    var isLogged = false
    /// The client is being disconnected because of it.
    var isOver = false

    init(_ limit: RateLimit, _ bucket: TokenBucket) {
        self.limit = limit
        self.bucket = bucket
    }
}

/// A socket's events come faster than a rate allows: the cause of the error with the code `rateLimited`.
public struct RateLimitExceeded: Error, Sendable {
    /// The setting.
    public let limit: EngineIOLimit
    /// Its value.
    public let rate: RateLimit
    /// The event that was not handled.
    public let event: String
}

extension RateLimitExceeded: CustomStringConvertible {
    public var description: String { "\(self.limit): more than \(self.rate)" }
}

extension SocketIOError.Code {
    /// An event was not handled because there were too many in a time. The cause, a ``RateLimitExceeded``, names the limit.
    public static let rateLimited = Self(rawValue: "rate_limited")
}

extension EngineIOLimit {
    /// ``SocketIOConfiguration/eventRate``
    public static let eventRate = Self(rawValue: "eventRate")
}

extension SocketIOError.Code {
    /// A setting has a value that it can't have.
    public static let invalidConfiguration = Self(rawValue: "invalid_configuration")
}

extension SocketIOConfiguration {
    func checkRates() throws(SocketIOError) {
        guard self.eventRate?.isPossible ?? true else {
            throw SocketIOError(.invalidConfiguration, "eventRate must be positive")
        }
        guard self.connectRate?.isPossible ?? true else {
            throw SocketIOError(.invalidConfiguration, "connectRate must be positive")
        }
        for (name, rate) in [("messageRate", self.engine.messageRate), ("byteRate", self.engine.byteRate)]
        where rate?.policy == .drop {
            throw SocketIOError(
                .invalidConfiguration, "engine.\(name) can't drop: packets would lose their attachments; use eventRate")
        }
    }
}
