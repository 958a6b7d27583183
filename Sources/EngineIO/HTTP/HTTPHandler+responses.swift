import EngineIOCore
import NIOCore
import NIOHTTP1

/// Why a request is refused, and what the client is told: WIRE's table of error codes.
enum EngineIORefusal {
    case unknownTransport
    case unknownSession
    case badMethod
    case badRequest
    case forbidden(String?)
    case unsupportedVersion
    /// There are too many sessions already.
    case limit(EngineIOLimit)
    /// The server is about to end.
    case closing

    static let forbidden = Self.forbidden(nil)

    var code: Int {
        switch self {
        case .unknownTransport: 0
        case .unknownSession: 1
        case .badMethod: 2
        case .badRequest: 3
        case .forbidden: 4
        case .unsupportedVersion: 5
        case .limit, .closing: 4
        }
    }

    var message: String {
        switch self {
        case .unknownTransport: "Transport unknown"
        case .unknownSession: "Session ID unknown"
        case .badMethod: "Bad handshake method"
        case .badRequest: "Bad request"
        case .forbidden(let reason): reason ?? "Forbidden"
        case .unsupportedVersion: "Unsupported protocol version"
        case .limit: "Too many connections"
        case .closing: "Server is shutting down"
        }
    }

    /// Clients that are refused by a limit are told so by the status, whatever their transport.
    func status(isUpgrade: Bool) -> HTTPResponseStatus {
        switch self {
        case .limit(.maxSessionsPerAddress): .tooManyRequests
        case .limit, .closing: .serviceUnavailable
        case .forbidden: isUpgrade ? .badRequest : .forbidden
        default: .badRequest
        }
    }

    /// Whether another try may have more success.
    var isTemporary: Bool {
        switch self {
        case .limit, .closing: true
        default: false
        }
    }

    var limit: EngineIOLimit? { if case .limit(let limit) = self { limit } else { nil } }
}

extension EngineIOConfiguration {
    var hasHeaderHooks: Bool { self.initialHeaders != nil || self.responseHeaders != nil }
}

extension HTTPHandler {
    /// Refuses a request as the protocol demands and reports it.
    func refuse(_ refusal: EngineIORefusal, _ context: [String: String], isUpgrade: Bool) {
        guard let head = self.head else { return }
        let configuration = self.server.configuration
        self.server.metrics?.rejected(RejectionLabel(refusal))
        self.server.logger.debug(
            "request refused: \(refusal.message)",
            metadata: ["socketio.code": "\(refusal.code)", "socketio.context": "\(context)"]
        )
        if let report = configuration.onConnectionError {
            let request = self.makeRequest(head)
            // The name of the error here, and the application's reason beside it, as in the reference; the client gets the reason.
            var context = context
            var message = refusal.message
            if case .forbidden(let reason?) = refusal {
                context["message"] = reason
                message = EngineIORefusal.forbidden.message
            }
            report(
                EngineIOConnectionError(
                    code: refusal.code, message: message, context: context, limit: refusal.limit, request: request))
        }
        var headers = HTTPHeaders()
        if refusal.isTemporary {
            headers.add(name: "retry-after", value: String(configuration.retryAfter.nanoseconds / 1_000_000_000))
        }
        if isUpgrade {
            headers.add(name: "content-type", value: "text/html")
            self.respond(
                status: refusal.status(isUpgrade: true), headers: headers,
                body: .bytes(ByteBuffer(string: refusal.message)), closing: true)
            return
        }
        headers.add(name: "content-type", value: "application/json")
        var body = ByteBuffer()
        body.writeString("{\"code\":\(refusal.code),\"message\":")
        JSONText.append(refusal.message, to: &body)
        body.writeString("}")
        self.respond(
            status: refusal.status(isUpgrade: false), headers: headers, body: .bytes(body),
            closing: refusal.isTemporary)
    }

    /// The dialect of the session whose GET is being answered.
    private var dialect: SessionDialect? {
        if case .polling(let session) = self.activity { session.dialect } else { nil }
    }

    /// Answers a GET with a payload.
    func respond(payload: StaticString) {
        if let dialect = self.dialect { return self.respond(payload: payload, in: dialect) }
        self.answerGET(.bytes(ByteBuffer(staticString: payload)))
    }

    /// Answers a GET with packets.
    func respond(frames: [ByteBuffer]) {
        if let dialect = self.dialect { return self.respond(frames: frames, in: dialect) }
        let size = PayloadEncoder.encodedSize(of: frames)
        self.loop.counts.polling.bytesSent &+= size
        self.answerGET(.payload(frames, size: size))
    }

    static let payloadHeaders: HTTPHeaders = [
        "content-type": "text/plain; charset=UTF-8", "cache-control": "no-store",
    ]

    func answerGET(_ payload: HTTPResponse.Body, headers: HTTPHeaders = payloadHeaders) {
        var headers = headers
        if let head = self.head, head.facts.contains(.hasUserAgent), let agent = head.first("user-agent"),
            agent.contains(";MSIE") || agent.contains("Trident/")
        {
            headers.add(name: "x-xss-protection", value: "0")
        }
        if self.isHandshake, let cookie = self.server.cookie, case .polling(let session) = self.activity {
            headers.add(name: "set-cookie", value: cookie.header(value: session.id))
        }
        self.respond(status: .ok, headers: headers, body: payload)
    }

    func respond(_ response: EngineIOResponse) {
        self.respond(status: response.status, headers: response.headers, body: .bytes(response.body), isEngine: false)
    }

    func respondPreflight(_ head: RequestHead) {
        var headers = HTTPHeaders()
        headers.add(
            contentsOf: self.server.corsPolicy.headers(
                requestOrigin: head.origin,
                isPreflight: true,
                requestedHeaders: head.first("access-control-request-headers")
            )
        )
        let status = HTTPResponseStatus(statusCode: self.server.configuration.cors.successStatus)
        self.respond(status: status, headers: headers, addsCORS: false)
    }

    /// Writes a whole response and ends the request's turn. With `closing` the connection is closed when the client has had
    /// time to read the answer: the request may not have arrived in full.
    func respond(
        status: HTTPResponseStatus,
        headers: HTTPHeaders = HTTPHeaders(),
        body: HTTPResponse.Body = .empty,
        closing: Bool = false,
        isEngine: Bool = true,
        addsCORS: Bool = true
    ) {
        guard let transport = self.transport, let head = self.head else { return }
        var headers = headers
        let hasHooks = isEngine && self.server.configuration.hasHeaderHooks
        if isEngine, addsCORS, self.server.configuration.cors.isEnabled {
            headers.add(
                contentsOf: self.server.corsPolicy.headers(
                    requestOrigin: head.origin, isPreflight: false, requestedHeaders: nil))
        }
        if hasHooks { self.applyHeaderHooks(&headers, self.makeRequest(head)) }
        if hasHooks || !isEngine {
            // What the application says of the length does not count.
            headers.remove(name: "transfer-encoding")
            headers.remove(name: "content-length")
        }
        // An application may close the connection with its answer.
        let closing =
            closing || !isEngine && headers[canonicalForm: "connection"].contains { $0.lowercased() == "close" }
        if closing || self.mustClose {
            headers.replaceOrAdd(name: "connection", value: "close")
        } else if head.isHTTP10 {
            // Who speaks that takes the end of the connection for the end of the answer, unless told otherwise.
            headers.replaceOrAdd(name: "connection", value: "keep-alive")
        }
        let hasBody = status != .noContent && status != .notModified
        let response = HTTPResponse(
            status: status, headers: headers, body: hasBody ? body : .none, omitsBody: head.method == .head)
        let isOurs = isEngine && !hasHooks && !self.server.configuration.cors.isEnabled
        guard isOurs || response.isValid else {
            self.server.logger.error("response refused: a header of the application can't be sent")
            transport.send(
                HTTPResponse(status: .internalServerError, headers: ["connection": "close"], body: .empty))
            return self.linger()
        }
        transport.send(response)
        if closing { self.linger() } else { self.finishRequest() }
    }

    func applyHeaderHooks(_ headers: inout HTTPHeaders, _ request: EngineIORequest) {
        if self.isHandshake { self.server.configuration.initialHeaders?(&headers, request) }
        self.server.configuration.responseHeaders?(&headers, request)
    }
}

extension RequestHead {
    /// The header `Origin`.
    var origin: String? { self.facts.contains(.hasOrigin) ? self.first("origin") : nil }
}
