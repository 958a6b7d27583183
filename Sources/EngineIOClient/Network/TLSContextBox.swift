import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// The TLS context of a configuration, made when it is first needed.
final class TLSContextBox: Sendable {
    private let context = Mutex<NIOSSLContext?>(nil)

    /// NIOSSL's own takes TLS 1.0 and 1.1 too, which are not safe any more (RFC 8996).
    private static var standard: TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        return configuration
    }

    /// Off the event loop: the trusted roots are read from files.
    func context(
        for configuration: TLSConfiguration?, on eventLoop: any EventLoop
    ) -> EventLoopFuture<NIOSSLContext> {
        if let context = self.context.withLock({ $0 }) { return eventLoop.makeSucceededFuture(context) }
        return NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) {
            let made = try NIOSSLContext(configuration: configuration ?? Self.standard)
            return self.context.withLock { context in
                if let context { return context }
                context = made
                return made
            }
        }
    }
}
