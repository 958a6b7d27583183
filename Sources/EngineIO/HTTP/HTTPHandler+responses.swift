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

    static let forbidden = Self.forbidden(nil)

    var code: Int {
        switch self {
        case .unknownTransport: 0
        case .unknownSession: 1
        case .badMethod: 2
        case .badRequest: 3
        case .forbidden: 4
        case .unsupportedVersion: 5
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
        }
    }
}

extension EngineIOConfiguration {
    var hasHeaderHooks: Bool { self.initialHeaders != nil || self.responseHeaders != nil }
}

extension HTTPHandler {
    /// Refuses a request as the protocol demands and reports it.
    func refuse(_ refusal: EngineIORefusal, _ context: [String: String], isUpgrade: Bool) {
        guard let head = self.head else { return }
        let configuration = self.server.configuration
        self.server.logger.debug(
            "request refused: \(refusal.message)",
            metadata: ["socketio.code": "\(refusal.code)", "socketio.context": "\(context)"]
        )
        if let report = configuration.onConnectionError {
            let request = self.makeRequest(head, QueryParameters(uri: head.uri))
            // The name of the error here, and the application's reason beside it, as in the reference; the client gets the reason.
            var context = context
            var message = refusal.message
            if case .forbidden(let reason?) = refusal {
                context["message"] = reason
                message = EngineIORefusal.forbidden.message
            }
            report(EngineIOConnectionError(code: refusal.code, message: message, context: context, request: request))
        }
        var headers = HTTPHeaders()
        if isUpgrade {
            headers.add(name: "content-type", value: "text/html")
            self.respond(
                status: .badRequest, headers: headers, body: ByteBuffer(string: refusal.message), closing: true)
            return
        }
        headers.add(name: "content-type", value: "application/json")
        var body = ByteBuffer()
        body.writeString("{\"code\":\(refusal.code),\"message\":")
        JSONText.append(refusal.message, to: &body)
        body.writeString("}")
        let status: HTTPResponseStatus = if case .forbidden = refusal { .forbidden } else { .badRequest }
        self.respond(status: status, headers: headers, body: body)
    }

    /// Answers a GET with a payload.
    func respond(payload: ByteBuffer) {
        var headers = HTTPHeaders()
        headers.reserveCapacity(8)
        headers.add(name: "content-type", value: "text/plain; charset=UTF-8")
        headers.add(name: "cache-control", value: "no-store")
        if let agent = self.head?.headers.first(name: "user-agent"),
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
        self.respond(status: response.status, headers: response.headers, body: response.body, isEngine: false)
    }

    func respondPreflight(_ head: HTTPRequestHead) {
        var headers = HTTPHeaders()
        headers.add(
            contentsOf: self.server.corsPolicy.headers(
                requestOrigin: head.headers.first(name: "origin"),
                isPreflight: true,
                requestedHeaders: head.headers.first(name: "access-control-request-headers")
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
        body: ByteBuffer = ByteBuffer(),
        closing: Bool = false,
        isEngine: Bool = true,
        addsCORS: Bool = true
    ) {
        guard let context = self.context, let head = self.head else { return }
        var headers = headers
        if isEngine {
            if addsCORS, self.server.configuration.cors.isEnabled {
                headers.add(
                    contentsOf: self.server.corsPolicy.headers(
                        requestOrigin: head.headers.first(name: "origin"), isPreflight: false, requestedHeaders: nil))
            }
            if self.server.configuration.hasHeaderHooks {
                let request = self.makeRequest(head, QueryParameters(uri: head.uri))
                self.applyHeaderHooks(&headers, request)
            }
        }
        let hasBody = status != .noContent && status != .notModified
        headers.remove(name: "transfer-encoding")
        headers.remove(name: "content-length")
        if hasBody { headers.add(name: "content-length", value: String(body.readableBytes)) }
        if closing || self.mustClose { headers.replaceOrAdd(name: "connection", value: "close") }
        let responseHead = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        context.write(Self.wrapOutboundOut(.head(responseHead)), promise: nil)
        if hasBody, body.readableBytes > 0, head.method != .HEAD {
            context.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        if closing { self.linger() } else { self.finishRequest() }
    }

    func applyHeaderHooks(_ headers: inout HTTPHeaders, _ request: EngineIORequest) {
        if self.isHandshake { self.server.configuration.initialHeaders?(&headers, request) }
        self.server.configuration.responseHeaders?(&headers, request)
    }
}
