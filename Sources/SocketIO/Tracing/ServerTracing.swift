import EngineIO
import NIOHTTP1
import SocketIOCore
import Tracing

/// Makes the spans of a server.
struct ServerTracing: Sendable {
    private let tracer: any Tracer
    private let continuesTraces: Bool

    init(_ configuration: TracingConfiguration) {
        self.tracer = configuration.tracer ?? InstrumentationSystem.tracer
        self.continuesTraces = configuration.continuesTraces
    }

    // MARK: Joining

    /// A client has asked to join a namespace.
    func beginConnect(_ namespace: String, _ session: EngineIOSession) -> any Span {
        var context = ServiceContext.topLevel
        if self.continuesTraces {
            self.tracer.extract(session.request.headers, into: &context, using: HeaderExtractor())
        }
        let span = self.tracer.startSpan("socketio.connect", context: context, ofKind: .server)
        if span.isRecording {
            span.updateAttributes { attributes in
                attributes.set("socketio.namespace", value: .string(namespace))
                attributes.set("socketio.transport", value: .string(session.transport.rawValue))
            }
        }
        return span
    }

    // MARK: Events

    /// A handler is about to be called. The span is the first of a trace, since a socket may live for days; it has a link to
    /// that of its connection.
    func beginEvent(_ invocation: Invocation) -> HandlerSpan {
        let span = self.tracer.startSpan(
            "socketio.event", context: .topLevel, ofKind: invocation.ack == nil ? .consumer : .server)
        guard case .socket(let socket) = invocation.origin, span.isRecording else { return HandlerSpan(span) }
        span.updateAttributes { attributes in
            attributes.set("socketio.namespace", value: .string(socket.namespace.name))
            attributes.set("socketio.event", value: .string(invocation.event))
            attributes.set("socketio.socket", value: .string(socket.loggedID))
        }
        if let context = socket.connectContext { span.addLink(SpanLink(context: context, attributes: [:])) }
        return HandlerSpan(span)
    }

    // MARK: Acknowledgements

    /// Does what sends an event and waits for acknowledgements, in a span below the present one.
    func exchange<Result>(
        _ name: String, _ event: String, _ namespace: String?, socket: String? = nil,
        _ body: () async throws -> Result
    ) async throws -> Result {
        let span = self.tracer.startSpan(name, context: ServiceContext.current ?? .topLevel, ofKind: .client)
        if span.isRecording {
            span.updateAttributes { attributes in
                attributes.set("socketio.event", value: .string(event))
                if let namespace { attributes.set("socketio.namespace", value: .string(namespace)) }
                if let socket { attributes.set("socketio.socket", value: .string(socket)) }
            }
        }
        do {
            let result = try await ServiceContext.$current.withValue(span.context) { try await body() }
            span.end()
            return result
        } catch {
            span.end(failing: error)
            throw error
        }
    }
}

extension Span {
    /// Ends it with an error.
    func end(failing error: any Error) {
        self.recordError(error)
        self.setStatus(SpanStatus(code: .error, message: "\(error)"))
        self.end()
    }
}

private struct HeaderExtractor: Extractor {
    func extract(key: String, from carrier: HTTPHeaders) -> String? { carrier.first(name: key) }
}
