import NIOCore
import NIOSSL

/// What all connections of a client have in common: URL and configuration together.
struct ConnectionOptions: Sendable {
    let seed: RedisAddress
    let credentials: Credentials?
    let database: Int
    let tls: NIOSSLContext?
    let configuration: RESPConfiguration

    struct Credentials: Sendable, Hashable {
        let username: String?
        let password: String
    }

    init(url: RedisURL, configuration: RESPConfiguration) throws(RedisError) {
        var configuration = configuration
        configuration.username = configuration.username ?? url.username
        configuration.password = configuration.password ?? url.password
        try configuration.validate()
        self.configuration = configuration
        self.seed = url.address
        self.database = configuration.database ?? url.database
        self.credentials = configuration.password.map { Credentials(username: configuration.username, password: $0) }
        if configuration.tls != nil || url.isEncrypted {
            do {
                self.tls = try NIOSSLContext(configuration: configuration.tls ?? .makeClientConfiguration())
            } catch {
                throw RedisError(.configuration, "TLS: \(error)")
            }
        } else {
            self.tls = nil
        }
    }
}

extension Duration {
    /// For timers. What is longer than a year becomes a year, so that it can be added to a clock.
    var timeAmount: TimeAmount { TimeAmount(min(self, .seconds(365 * 86400))) }
}
