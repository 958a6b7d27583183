import EngineIOCore
import NIOCore

extension EngineIOSession {
    /// What a packet means for the connection on which it came.
    enum PacketResult {
        case goOn
        /// The session has ended; nothing further is to be read.
        case ended
    }

    /// Handles one text frame of a WebSocket.
    func receive(text: ByteBuffer, isInside: Bool, on loop: LoopContext) -> PacketResult {
        if text.getInteger(at: text.readerIndex, as: UInt8.self) == UInt8(ascii: "4") {
            var message = text
            message.moveReaderIndex(forwardBy: 1)
            return self.receive(.text(message), isInside: isInside, on: loop)
        }
        do {
            let packet = try self.isVersion3 ? EngineIOPacket.decodeVersion3(text: text) : .decode(text: text)
            return self.receive(packet, fromPolling: false, isInside: isInside, on: loop)
        } catch {
            self.parseError(error.message)
            return .ended
        }
    }

    /// Handles one packet. The caller holds the gate when `isInside`; else messages are left for its holder.
    func receive(
        _ packet: EngineIOPacket,
        fromPolling isPolling: Bool,
        isInside: Bool,
        on loop: LoopContext
    ) -> PacketResult {
        switch packet {
        case .message(let text):
            return self.receive(.text(text), isInside: isInside, on: loop)
        case .binary(let data):
            return self.receive(.binary(data), isInside: isInside, on: loop)
        case .ping where self.isVersion3:
            return self.receivePing()
        case .pong where !self.isVersion3:
            let now = NIODeadline.now().uptimeNanoseconds
            self.state.withLock { $0.pong(now: now) }
            self.updateWheel()
            return .goOn
        case .ping, .pong:
            self.server.logger.debug(
                "a client of protocol \(self.protocolVersion) does not \(self.isVersion3 ? "pong" : "ping")",
                metadata: self.metadata())
            self.end(reason: .transportError, .close)
            return .ended
        case .close:
            // On a WebSocket it means nothing: its end is the end of the connection.
            guard isPolling else { return .goOn }
            if isInside, self.throttle != nil {
                self.inOrder({ _ in self.end(reason: .transportClose, .noop) }, on: loop)
            } else {
                self.end(reason: .transportClose, .noop)
            }
            return .ended
        case .open, .upgrade, .noop:
            return .goOn
        }
    }

    /// Handles one message. See ``receive(_:fromPolling:isInside:on:)`` for `isInside`.
    func receive(_ item: InboundItem, isInside: Bool, on loop: LoopContext) -> PacketResult {
        if isInside {
            self.handle(item, on: loop)
        } else {
            self.submitMessage(item)
        }
        return .goOn
    }

    func parseError(_ what: String) {
        self.server.logger.debug("invalid packet: \(what)", metadata: self.metadata())
        self.end(reason: .parseError, .close)
    }
}
