import EngineIOCore
import NIOCore
import NIOHTTP1

/// The body of a POST whose session has a dialect.
struct DialectBody {
    let bytes: ByteBuffer
    let dialect: SessionDialect
    /// The client calls it `application/octet-stream`.
    let isBinary: Bool
}

/// Polling in another dialect than that of protocol 4 without JSONP.
extension HTTPHandler {
    /// Answers a GET with packets.
    func respond(frames: [ByteBuffer], in dialect: SessionDialect) {
        var body = ByteBuffer()
        var isBinary = false
        if dialect.version == 3 {
            (body, isBinary) = Version3Encoder.payload(frames, usesBase64: dialect.usesBase64)
        } else {
            for frames in frames { PayloadEncoder.append(frames: frames, to: &body) }
        }
        if let index = dialect.jsonp { body = JSONP.script(body, index: index) }
        self.loop.counts.polling.bytesSent &+= body.readableBytes
        self.answerGET(.bytes(body), headers: isBinary ? Self.binaryHeaders : Self.payloadHeaders)
    }

    /// Answers a GET with packets in the form of protocol 4.
    func respond(payload: StaticString, in dialect: SessionDialect) {
        var decoder = PayloadDecoder(ByteBuffer(staticString: payload))
        var frames: [ByteBuffer] = []
        while let packet = try? decoder.next() { frames.append(packet.makeFrame()) }
        self.respond(frames: frames, in: dialect)
    }

    private static let binaryHeaders: HTTPHeaders = [
        "content-type": "application/octet-stream", "cache-control": "no-store",
    ]

    /// The body of the request that is being answered.
    func body(_ bytes: ByteBuffer, in dialect: SessionDialect) -> DialectBody {
        DialectBody(
            bytes: bytes, dialect: dialect, isBinary: self.head?.first("content-type") == "application/octet-stream")
    }

    /// Hands the packets of a body over; whoever calls holds the gate. Uses nothing of this connection.
    func dispatch(_ body: DialectBody, to session: EngineIOSession, on loop: LoopContext) {
        var bytes = body.bytes
        if body.dialect.jsonp != nil {
            // As the reference, which answers it as any other.
            guard let payload = JSONP.payload(ofForm: bytes) else { return }
            bytes = payload
        }
        guard body.dialect.version == 3 else { return self.dispatch(bytes, to: session, on: loop) }
        let isBinary = body.isBinary && body.dialect.jsonp == nil
        var decoder = Version3PayloadDecoder(
            bytes, isBinary: isBinary, maxPackets: self.server.configuration.maxPacketsPerPayload)
        do {
            while let packet = try decoder.next() {
                loop.counts.polling.packetsReceived &+= 1
                guard case .goOn = session.receive(packet, fromPolling: true, isInside: true, on: loop) else { return }
            }
        } catch {
            session.parseError(error.message)
        }
    }
}
