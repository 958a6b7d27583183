import EngineIOCore

/// A setting that can't be.
public struct EngineIOConfigurationError: Error, Sendable, CustomStringConvertible {
    /// What is wrong, in one line.
    public let message: String

    init(_ message: String) { self.message = message }

    public var description: String { self.message }
}

extension EngineIOConfiguration {
    /// Checks the settings and returns the networks of the trusted proxies.
    func validated() throws(EngineIOConfigurationError) -> [IPNetwork] {
        func require(_ condition: Bool, _ message: String) throws(EngineIOConfigurationError) {
            if !condition { throw EngineIOConfigurationError(message) }
        }
        try require(self.path.utf8.first == UInt8(ascii: "/"), "path must begin with a slash: \(self.path)")
        try require(!self.transports.isEmpty, "transports must not be empty")
        try require(self.pingInterval > .zero, "pingInterval must be positive")
        try require(self.pingTimeout > .zero, "pingTimeout must be positive")
        try require(self.upgradeTimeout > .zero, "upgradeTimeout must be positive")
        try require(self.requestTimeout > .zero, "requestTimeout must be positive")
        try require(self.closeTimeout > .zero, "closeTimeout must be positive")
        try require(self.maxPayload > 0, "maxPayload must be positive")
        try require(self.maxPacketsPerPayload > 0, "maxPacketsPerPayload must be positive")
        try require(self.maxOutboxBytes > 0, "maxOutboxBytes must be positive")
        try require(self.maxTotalOutboxBytes > 0, "maxTotalOutboxBytes must be positive")
        try require(self.maxInboundQueueBytes > 0, "maxInboundQueueBytes must be positive")
        try require(self.maxSessions > 0, "maxSessions must be positive")
        try require((self.maxSessionsPerAddress ?? 1) > 0, "maxSessionsPerAddress must be positive")
        try require((self.maxConnectionsPerAddress ?? 1) > 0, "maxConnectionsPerAddress must be positive")
        try require(self.messageRate?.isPossible ?? true, "messageRate must be positive")
        try require(self.byteRate?.isPossible ?? true, "byteRate must be positive")
        try require(self.eventLoopCount > 0, "eventLoopCount must be positive")
        if let cookie = self.cookie {
            do { _ = try CookieOptions(cookie) } catch {
                throw EngineIOConfigurationError("cookie has a name, path or domain that no cookie can have")
            }
        }
        var networks: [IPNetwork] = []
        for proxy in self.trustedProxies {
            guard let network = IPNetwork(proxy) else {
                throw EngineIOConfigurationError("trustedProxies: \(proxy) is no address and no network")
            }
            networks.append(network)
        }
        return networks
    }
}

extension Duration {
    /// Whole nanoseconds, at least 0; centuries end at some.
    package var nanoseconds: UInt64 {
        let (seconds, attoseconds) = self.components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(min(seconds, 4_000_000_000)) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }

    package var milliseconds: Int { Int(self.nanoseconds / 1_000_000) }
}

extension CookieOptions {
    init(_ cookie: EngineIOCookie) throws(CookieError) {
        try self.init(
            name: cookie.name,
            path: cookie.path,
            domain: cookie.domain,
            isHTTPOnly: cookie.httpOnly,
            isSecure: cookie.secure,
            sameSite: cookie.sameSite.flatMap { SameSite(rawValue: $0.rawValue) },
            maxAge: cookie.maxAge.map { $0.milliseconds / 1000 }
        )
    }
}

extension CORSPolicy {
    init(_ cors: EngineIOCORS) {
        let origin: Origin =
            switch cors.origin {
            case .none: .none
            case .any: .any
            case .reflected: .predicate { _ in true }
            case .list(let origins): .list(origins)
            case .matching(let predicate): .predicate(predicate)
            }
        self.init(
            origin: origin,
            credentials: cors.credentials,
            methods: cors.methods,
            allowedHeaders: cors.allowedHeaders,
            exposedHeaders: cors.exposedHeaders,
            maxAge: cors.maxAge,
            optionsSuccessStatus: cors.successStatus
        )
    }

    /// Whether a page of `origin` may open a WebSocket: it is allowed, or it comes from this server.
    func admits(origin: String, host: String?) -> Bool {
        if self.allows(origin: origin) { return true }
        guard let host, let scheme = origin.firstRange(of: "://") else { return false }
        return origin[scheme.upperBound...].lowercased() == host.lowercased()
    }
}
