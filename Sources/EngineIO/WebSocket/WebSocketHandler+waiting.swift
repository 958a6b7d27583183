import EngineIOCore
import NIOCore

/// A client that sends more than its rate is not read: what it sends waits in its own memory and the system's.
extension WebSocketHandler {
    /// Stops reading as long as messages wait. Inside the gate of the session.
    func pauseReading() {
        guard !self.isPaused, self.context != nil else { return }
        self.isPaused = self.session.whenReleased {
            self.loop.eventLoop.execute { if self.isPaused { self.resumeReading() } }
        }
        if self.isPaused { self.setReading(false) }
    }

    func resumeReading() {
        self.isPaused = false
        self.setReading(true)
    }

    private func setReading(_ isReading: Bool) {
        guard let context = self.context else { return }
        do {
            try context.channel.syncOptions?.setOption(.autoRead, value: isReading)
        } catch {
            // The channel has ended.
            self.session.server.logger.debug(
                "connection failed", metadata: self.session.metadata(["socketio.error": "\(error)"]))
        }
    }

    /// The client's close frame has its place behind the messages that it has sent before. Inside the gate of the session.
    func closeInOrder(_ code: UInt16?) {
        let isWaiting = self.session.whenReleased { self.loop.eventLoop.execute { self.peerClosed(code) } }
        if isWaiting { self.isPeerClosing = true } else { self.peerClosed(code) }
    }
}
