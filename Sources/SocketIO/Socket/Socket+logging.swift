import EngineIO
import Logging
import SocketIOCore

// What is logged of the life of a socket, at debug. A socket's id is no secret: others of its namespace may know it. But that of a client of
// protocol 4 has the id of the session in it, which is one.
extension Socket {
    /// The id as it may be written down.
    var loggedID: String {
        guard self.connection.isVersion4 else { return self.id }
        return String(self.id.dropLast(max(0, self.session.id.count - 6))) + "…"
    }

    var metadata: Logger.Metadata {
        self.session.metadata(["socketio.namespace": "\(self.namespace.name)", "socketio.socket": "\(self.loggedID)"])
    }

    func log(_ message: @autoclosure () -> Logger.Message, reason: DisconnectReason? = nil) {
        let logger = self.connection.server.logger
        guard logger.logLevel <= .debug else { return }
        var metadata = self.metadata
        if let reason { metadata["socketio.reason"] = "\(reason)" }
        logger.debug(message(), metadata: metadata)
    }
}

extension ClientConnection {
    func metadata(_ more: Logger.Metadata = [:]) -> Logger.Metadata { self.session.metadata(more) }
}
