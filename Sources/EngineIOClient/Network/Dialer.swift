import EngineIOCore
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Opens connections to the server of a configuration, with TLS and HTTP on them.
struct Dialer {
    let configuration: EngineClientConfiguration
    let eventLoop: any EventLoop

    /// What the head of an answer may hold: 16 KiB for a header field, 64 KiB in all.
    private static let headLimits = {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 16 << 10
        limits.maxHeaderListSize = 64 << 10
        limits.maxHeaderFieldCount = 128
        return limits
    }()

    /// The future fails with an ``EngineClientError``; it succeeds when TCP is connected, TLS follows.
    ///
    /// Several addresses may be tried at once, hence several channels configured. That of the future has an
    /// ``HTTPChannelHandler``.
    func connect(maxBodyBytes: Int) -> EventLoopFuture<any Channel> {
        guard let bootstrap = ClientBootstrap(validatingGroup: self.eventLoop) else {
            return self.eventLoop.makeFailedFuture(
                EngineClientError(.invalidConfiguration, "the event loop is none of NIOPosix"))
        }
        let (url, pins) = (self.configuration.url, self.configuration.pins)
        let timeout = TimeAmount(self.configuration.connectTimeout)
        let context: EventLoopFuture<NIOSSLContext?> =
            url.isSecure
            ? self.configuration.tlsContext.context(for: self.configuration.tls, on: self.eventLoop).map { $0 }
            : self.eventLoop.makeSucceededFuture(nil)
        let connected = context.flatMapErrorThrowing { error in
            throw EngineClientError(.invalidConfiguration, "the TLS configuration can't be used: \(error)")
        }.assumeIsolated().flatMap { tls in
            bootstrap
                .connectTimeout(timeout)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelOption(.writeBufferWaterMark, value: .init(low: 16 << 10, high: 64 << 10))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try Self.configure(channel, url: url, pins: pins, tls: tls, maxBodyBytes: maxBodyBytes)
                    }
                }
                .connect(host: url.host, port: url.port)
        }
        return connected.nonisolated().flatMapErrorThrowing { throw ErrorTranslation.translate($0, url: url) }
    }

    private static func configure(
        _ channel: any Channel, url: EngineURL, pins: [String], tls: NIOSSLContext?, maxBodyBytes: Int
    ) throws {
        let pipeline = channel.pipeline.syncOperations
        if let tls {
            // Without a name NIOSSL compares the address of the peer with the certificate.
            let name = IPAddress(url.host) == nil ? url.host : nil
            try pipeline.addHandler(try NIOSSLClientHandler(context: tls, serverHostname: name))
        }
        try pipeline.addHandler(ReadinessHandler(isSecure: tls != nil, pins: pins, url: url))
        let encoder = HTTPRequestEncoder()
        let decoder = ByteToMessageHandler(
            HTTPResponseDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: Self.headLimits))
        try pipeline.addHandlers([encoder, decoder])
        try pipeline.addHandler(
            HTTPChannelHandler(url: url, maxBodyBytes: maxBodyBytes, encoder: encoder, decoder: decoder))
    }
}
