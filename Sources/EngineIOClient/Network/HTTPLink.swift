import NIOCore
import NIOHTTP1

/// Sends requests one after the other, over one connection as long as it lives and over a new one then.
///
/// Nothing is sent twice: a request that a connection took with it is not repeated, since the server may have had it.
final class HTTPLink {
    typealias Completion = (Result<HTTPAnswer, EngineClientError>) -> Void

    private let dialer: Dialer
    private let maxBodyBytes: Int
    private var handler: HTTPChannelHandler?
    private var waiting: HTTPRequest?
    private var completion: Completion?
    private var isDialing = false
    private var isClosed = false
    /// When the connection may not be used any more: servers close what is idle, and may do so while a request is on its way.
    private var reusableUntil = NIODeadline.distantFuture

    init(dialer: Dialer, maxBodyBytes: Int) {
        self.dialer = dialer
        self.maxBodyBytes = maxBodyBytes
    }

    /// Whether the request under way has been given to the system.
    var isWritten: Bool { self.handler?.isWritten ?? false }

    /// `completion` is called once, with the whole answer, or never if the link is closed before. One request at a time.
    func send(_ request: HTTPRequest, _ completion: @escaping Completion) {
        guard !self.isClosed else { return }
        self.completion = completion
        if let handler = self.handler, NIODeadline.now() < self.reusableUntil {
            handler.send(request)
        } else {
            self.handler?.close()
            self.handler = nil
            self.waiting = request
            self.dial()
        }
    }

    /// Cuts the connection; a request under way is forgotten.
    func close() {
        self.isClosed = true
        self.completion = nil
        self.waiting = nil
        self.handler?.close()
        self.handler = nil
    }

    /// Gives the connection away: see ``HTTPChannelHandler/becomeWebSocket(_:_:)``.
    func becomeWebSocket(_ handler: any ChannelHandler, _ completion: @escaping () -> Void) throws {
        guard let http = self.handler else { throw ChannelError.ioOnClosedChannel }
        self.handler = nil
        self.isClosed = true
        do {
            try http.becomeWebSocket(handler, completion)
        } catch {
            http.close()
            throw error
        }
    }

    private func dial() {
        guard !self.isDialing else { return }
        self.isDialing = true
        self.dialer.connect(maxBodyBytes: self.maxBodyBytes).assumeIsolated().whenComplete { [weak self] result in
            // A channel that nobody waits for any more.
            guard let self, !self.isClosed else { return result.closeChannel() }
            self.isDialing = false
            do {
                let channel = try result.get()
                self.adopt(try channel.pipeline.syncOperations.handler(type: HTTPChannelHandler.self))
            } catch {
                self.complete(.failure(ErrorTranslation.translate(error, url: self.dialer.configuration.url)))
            }
        }
    }

    private func adopt(_ handler: HTTPChannelHandler) {
        if let failure = handler.failure { return self.complete(.failure(failure)) }
        self.handler = handler
        self.reusableUntil = .distantFuture
        handler.link = self
        if handler.isReady { self.becameReady(handler) }
    }

    private func complete(_ result: Result<HTTPAnswer, EngineClientError>) {
        guard let completion = self.completion else { return }
        self.completion = nil
        self.waiting = nil
        completion(result)
    }

    // MARK: Told by the handler

    func becameReady(_ handler: HTTPChannelHandler) {
        guard handler === self.handler, let request = self.waiting else { return }
        self.waiting = nil
        handler.send(request)
    }

    func received(_ answer: HTTPAnswer, isReusable: Bool, _ handler: HTTPChannelHandler) {
        guard handler === self.handler else { return }
        if isReusable {
            self.reusableUntil = .now() + Self.idleTime(answer.head.headers)
        } else if answer.head.status != .switchingProtocols {
            handler.close()
            self.handler = nil
        }
        self.complete(.success(answer))
    }

    func failed(_ error: EngineClientError, _ handler: HTTPChannelHandler) {
        guard handler === self.handler else { return }
        self.handler = nil
        self.complete(.failure(error))
    }

    /// How long a connection may lie idle and still be used: a second less than the server says it keeps it. Four seconds if it
    /// does not say, since Node.js closes after five.
    private static func idleTime(_ headers: HTTPHeaders) -> TimeAmount {
        for part in headers[canonicalForm: "keep-alive"] {
            let pair = part.split(separator: "=", maxSplits: 1)
            if pair.count == 2, pair[0].lowercased() == "timeout", let seconds = Int64(pair[1]) {
                return .seconds(max(0, min(seconds, 3600) - 1))
            }
        }
        return .seconds(4)
    }
}

@available(*, unavailable)
extension HTTPLink: Sendable {}

extension Result where Success == any Channel {
    fileprivate func closeChannel() {
        if case .success(let channel) = self { channel.close(promise: nil) }
    }
}
