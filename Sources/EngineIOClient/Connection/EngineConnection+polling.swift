import EngineIOCore
import NIOCore
import NIOHTTP1

extension EngineConnection {
    private var maxPollBytes: Int {
        // Binary grows by a third, and an answer may hold more than one message.
        let (bytes, overflow) = self.configuration.maxMessageBytes.multipliedReportingOverflow(by: 2)
        return max(overflow ? Int.max : bytes, 64 << 10)
    }

    // MARK: GET

    func get() {
        guard let request = self.requests?.poll(sid: self.handshake?.sid) else { return }
        let link = self.getLink ?? HTTPLink(dialer: self.dialer, maxBodyBytes: self.maxPollBytes)
        self.getLink = link
        link.send(request) { [weak self] result in self?.getEnded(result) }
    }

    private func getEnded(_ result: Result<HTTPAnswer, EngineClientError>) {
        self.state.getEnded()
        switch result {
        case .success(let answer):
            self.requests?.store(answer.head.headers)
            self.heard()
            guard answer.head.status == .ok else { return self.pollingFailed(self.refusal(answer)) }
            self.receive(payload: answer.body)
            self.advance()
        case .failure(let error):
            self.pollingFailed(error)
        }
    }

    private func receive(payload: ByteBuffer) {
        var isFirst = self.state.phase == .opening
        var packets = PayloadDecoder(payload, maxPackets: .max)
        do {
            while self.handler != nil, let packet = try packets.next() {
                if isFirst {
                    isFirst = false
                    guard case .open(let data) = packet else {
                        return self.openingFailed(Refusal.noHandshake(payload, url: self.configuration.url))
                    }
                    self.receiveHandshake(data)
                    // It was none, and another transport is tried.
                    if case .opening = self.state.phase { return }
                } else {
                    self.receive(packet)
                }
            }
        } catch {
            if case .opening = self.state.phase {
                self.openingFailed(Refusal.noHandshake(payload, url: self.configuration.url))
            } else {
                self.receivedInvalid(error)
            }
        }
    }

    // MARK: POST

    func post() {
        // A single packet is sent whatever its size.
        let limit = self.handshake?.maxPayload ?? .max
        let (body, cost) = self.outbox.takePayload(
            maxBytes: limit == .max ? Self.usualBodyBytes : limit, maxPackets: self.configuration.maxPacketsPerPost)
        guard let request = self.requests?.post(body, sid: self.handshake?.sid) else { return }
        self.postedBytes = cost
        let link = self.postLink ?? HTTPLink(dialer: self.dialer, maxBodyBytes: Self.maxPostAnswerBytes)
        self.postLink = link
        self.armRequestTimeout()
        link.send(request) { [weak self] result in self?.postEnded(result) }
    }

    private static let maxPostAnswerBytes = 64 << 10
    /// What is put together into one body for a server that names no limit: all take so much unless they are told otherwise.
    private static let usualBodyBytes = 1_000_000

    private func postEnded(_ result: Result<HTTPAnswer, EngineClientError>) {
        self.timers.request?.cancel()
        self.timers.request = nil
        self.state.postEnded()
        self.postedBytes = 0
        switch result {
        case .success(let answer):
            self.requests?.store(answer.head.headers)
            self.heard()
            guard answer.head.status == .ok else { return self.pollingFailed(self.refusal(answer)) }
            self.updateCongestion()
            self.advance()
        case .failure(let error):
            self.pollingFailed(error)
        }
    }

    /// From when the request was given to the system: a large body may take its time.
    private func armRequestTimeout() {
        guard let timeout = self.configuration.requestTimeout else { return }
        self.timers.request = self.schedule(timeout) { connection in
            guard connection.postLink?.isWritten == true else { return connection.armRequestTimeout() }
            connection.pollingFailed(
                EngineClientError(
                    .requestTimeout,
                    "\(connection.configuration.url.origin) has not answered a POST within `requestTimeout`"))
        }
    }

    // MARK: Failures

    private func refusal(_ answer: HTTPAnswer) -> EngineClientError {
        Refusal.status(answer, url: self.configuration.url, path: self.configuration.path)
    }

    private func pollingFailed(_ error: EngineClientError) {
        switch self.state.phase {
        case .opening: self.openingFailed(error)
        case .open: self.end("transport error", error)
        // The session is over on the other side already.
        case .closing: self.end("forced close", nil)
        case .idle, .closed: break
        }
    }
}
