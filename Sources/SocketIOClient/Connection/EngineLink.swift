import EngineIOClient
import EngineIOCore
import NIOCore

/// What a manager needs of a connection to an Engine.IO server; see ``EngineConnection``.
protocol EngineLink: AnyObject, Sendable {
    func open()
    func send(text: ByteBuffer)
    func send(binary: ByteBuffer)
    func flush()
    func close()
    func cut()
    func networkChanged()
    var isWritable: Bool { get }
    var transport: EngineClientConfiguration.Transport { get }
    var didUpgrade: Bool { get }
}

extension EngineConnection: EngineLink {}

/// Makes the engine of one attempt.
typealias EngineFactory =
    @Sendable (
        _ configuration: EngineClientConfiguration,
        _ cookies: CookieJar,
        _ eventLoop: any EventLoop,
        _ handler: any EngineConnectionHandler
    ) -> any EngineLink

/// One engine of a manager, as long as it is the current one: what an engine that was given up still tells reaches nobody.
///
/// `@unchecked Sendable`: touched on the event loop only.
final class EngineAttempt: EngineConnectionHandler, @unchecked Sendable {
    private var manager: Manager?
    var engine: (any EngineLink)?
    /// Told of the engine's end even when it was given up before.
    var onEnd: (@Sendable () -> Void)?

    init(manager: Manager) { self.manager = manager }

    /// Lets go of the manager and the engine, which may go on sending what waits.
    func giveUp() {
        self.manager = nil
        self.engine = nil
    }

    func engineOpened(_ handshake: Handshake) { self.manager?.engineOpened(handshake) }
    func engineReceived(text: ByteBuffer) { self.manager?.engineReceived(text: text) }
    func engineReceived(binary: ByteBuffer) { self.manager?.engineReceived(binary: binary) }
    func engineBecameWritable() {}
    func enginePinged() { self.manager?.enginePinged() }
    func engineUpgraded() { self.manager?.engineUpgraded() }
    func engineClosed(_ end: EngineEnd) {
        self.manager?.engineClosed(end)
        self.onEnd?()
    }
}
