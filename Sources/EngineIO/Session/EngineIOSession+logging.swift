import Logging

// What is logged of the life of a session, all at debug.
extension EngineIOSession {
    /// What tells the lines of a session from those of others: not its id, which is a secret.
    package func metadata(_ more: Logger.Metadata = [:]) -> Logger.Metadata {
        var metadata = more
        metadata["socketio.session"] = "\(self.logName)"
        metadata["socketio.address"] = "\(self.request.address)"
        return metadata
    }

    /// The beginning of the id; what is left cannot be guessed.
    package var logName: String { String(self.id.prefix(min(6, self.id.count / 3))) }

    func log(
        _ message: @autoclosure () -> Logger.Message, _ transport: EngineIOTransport, reason: EngineIOCloseReason? = nil
    ) {
        guard self.server.logger.logLevel <= .debug else { return }
        var metadata = self.metadata(["socketio.transport": "\(transport.rawValue)"])
        if let reason { metadata["socketio.reason"] = "\(reason)" }
        self.server.logger.debug(message(), metadata: metadata)
    }
}
