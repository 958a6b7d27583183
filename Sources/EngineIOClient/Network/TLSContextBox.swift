import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// The TLS context of a configuration, made when it is first needed.
final class TLSContextBox: Sendable {
    private let context = Mutex<NIOSSLContext?>(nil)

    /// Off the event loop: the trusted roots are read from files.
    func context(
        for configuration: TLSConfiguration?, on eventLoop: any EventLoop
    ) -> EventLoopFuture<NIOSSLContext> {
        if let context = self.context.withLock({ $0 }) { return eventLoop.makeSucceededFuture(context) }
        return NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) {
            let made = try NIOSSLContext(configuration: configuration ?? .makeClientConfiguration())
            return self.context.withLock { context in
                if let context { return context }
                context = made
                return made
            }
        }
    }
}
