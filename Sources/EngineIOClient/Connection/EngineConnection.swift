import EngineIOCore
import NIOCore

/// A connection to an Engine.IO server, over polling, WebSocket, or one after the other.
///
/// All of it happens on one event loop, where it must be called too. It keeps itself alive while it is open.
package final class EngineConnection: @unchecked Sendable {
    package typealias Transport = EngineClientConfiguration.Transport

    package let configuration: EngineClientConfiguration
    package let eventLoop: any EventLoop
    let cookies: CookieJar
    private var handler: (any EngineConnectionHandler)?
    package private(set) var transport: Transport
    package private(set) var handshake: Handshake?
    package private(set) var didUpgrade = false

    package init(
        _ configuration: EngineClientConfiguration,
        cookies: CookieJar,
        eventLoop: any EventLoop,
        handler: any EngineConnectionHandler
    ) {
        self.configuration = configuration
        self.cookies = cookies
        self.eventLoop = eventLoop
        self.handler = handler
        self.transport = configuration.transports.first ?? .polling
    }

    /// Begins. Once only; what comes of it is told to the handler.
    package func open() {}

    /// Appends a message; it leaves with ``flush()``, or at the latest when something else is sent. First in, first out, over
    /// both transports and the change from one to the other. Dropped when the connection is not open.
    package func send(text: ByteBuffer) {}

    /// As for text.
    package func send(binary: ByteBuffer) {}

    /// The end of a batch: what was appended is sent, as one write or one POST as far as it fits.
    package func flush() {}

    /// Whether little waits to be sent. Once it was false, the handler is told when it is true again.
    package var isWritable: Bool { false }

    /// Bytes that were appended and have not been given to the system yet (WebSocket), or not been acknowledged (polling).
    package var bufferedBytes: Int { 0 }

    /// Sends what waits, then the packet that ends the session, as far as ``EngineClientConfiguration/closeTimeout`` allows.
    /// Nothing is received from here on. The end is told to the handler: `forced close`.
    package func close() {}

    /// Ends at once. The end is told to the handler in a turn of its own: `forced close`.
    package func cut() {}

    /// The machine has another network: finds out soon whether the connection still works. If the server does not answer within
    /// ``EngineClientConfiguration/requestTimeout``, the connection ends with `ping timeout`.
    package func networkChanged() {}
}
