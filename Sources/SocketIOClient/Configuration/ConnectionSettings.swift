import EngineIOClient
import EngineIOCore
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import SocketIOCore

/// Which server, and how it is spoken to: what clients must have in common to share a connection.
struct ConnectionSettings: Sendable {
    let url: EngineURL
    let configuration: SocketIOClientConfiguration
    let key: Key

    /// All of it but TLS, whose settings are compared one by one.
    struct Key: Sendable, Hashable {
        var isSecure: Bool
        var host: String
        var port: Int
        var urlQuery: [[String]]
        var path: String
        var parser: ParserChoice
        var query: [String: String]
        var headers: [String: String]
        var transports: [SocketIOClientConfiguration.Transport]
        var flags: [Bool]
        var pins: [String]
        var durations: [Duration?]
        var limits: [Int]
        var reconnection: SocketIOClientConfiguration.Reconnection
        var group: ObjectIdentifier?
    }

    init(url: EngineURL, configuration: SocketIOClientConfiguration) {
        self.url = url
        self.configuration = configuration
        self.key = Key(
            isSecure: url.isSecure,
            host: url.host.lowercased(),
            port: url.port,
            urlQuery: url.query.map { [$0.0, $0.1] },
            path: configuration.path,
            parser: configuration.parser,
            query: configuration.query,
            headers: configuration.extraHeaders,
            transports: configuration.transports,
            flags: [configuration.upgrade, configuration.rememberUpgrade, configuration.tryAllTransports],
            pins: configuration.pins,
            durations: [
                configuration.connectTimeout, configuration.requestTimeout, configuration.upgradeTimeout,
                configuration.closeTimeout, configuration.probeTimeout,
            ],
            limits: [
                configuration.maxMessageBytes, configuration.maxOutboundBytes, configuration.maxAttachments,
                configuration.maxDepth, configuration.maxArguments,
            ],
            reconnection: configuration.reconnection,
            group: configuration.eventLoopGroup.map { ObjectIdentifier($0) }
        )
    }

    /// Whether two clients with the same key have the same settings of TLS.
    func hasSameTLS(as other: ConnectionSettings) -> Bool {
        switch (self.configuration.tls, other.configuration.tls) {
        case (nil, nil): true
        case (let one?, let two?): one.bestEffortEquals(two)
        default: false
        }
    }

    var eventLoop: any EventLoop {
        (self.configuration.eventLoopGroup ?? MultiThreadedEventLoopGroup.singleton).next()
    }

    var packetLimits: PacketLimits {
        let configuration = self.configuration
        let (bytes, overflow) = max(0, configuration.maxMessageBytes)
            .multipliedReportingOverflow(by: max(1, configuration.maxAttachments))
        return PacketLimits(
            maxAttachments: max(0, configuration.maxAttachments),
            maxAttachmentBytes: overflow ? .max : bytes,
            maxDepth: max(1, configuration.maxDepth),
            maxArguments: max(0, min(configuration.maxArguments, .max - 1))
        )
    }

    /// The settings of the transports.
    func engine() -> EngineClientConfiguration {
        let configuration = self.configuration
        var engine = EngineClientConfiguration(url: self.url, path: configuration.path)
        engine.query =
            self.url.query
            + configuration.query.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        engine.extraHeaders = configuration.extraHeaders.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        engine.transports = configuration.transports.map { $0 == .polling ? .polling : .websocket }
        engine.upgrade = configuration.upgrade
        engine.rememberUpgrade = configuration.rememberUpgrade
        engine.tryAllTransports = configuration.tryAllTransports
        engine.tls = configuration.tls
        engine.pins = configuration.pins
        engine.connectTimeout = configuration.connectTimeout
        engine.requestTimeout = configuration.requestTimeout
        engine.probeTimeout = configuration.probeTimeout
        engine.upgradeTimeout = configuration.upgradeTimeout
        engine.closeTimeout = configuration.closeTimeout
        engine.maxMessageBytes = configuration.maxMessageBytes
        engine.maxOutboundBytes = configuration.maxOutboundBytes
        engine.logger = configuration.logger
        return engine
    }
}
