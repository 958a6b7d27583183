import EngineIO
import EngineIOCore
import NIOCore
import SocketIOCore

/// A handler of one event.
struct Listener: Sendable {
    enum Reply: Sendable {
        /// Returns nothing: an acknowledgement that is wanted is sent empty, unless another listener has one to send.
        case nothing
        /// Returns a value, or answers when it likes.
        case answers
    }

    let token: Int
    let isOnce: Bool
    let reply: Reply
    /// Decodes the arguments and calls the handler, or starts it. Throws what a synchronous part throws.
    let run: @Sendable (_ arguments: ArgumentReader, _ invocation: Invocation) throws -> Void
}

/// What a listener is called with besides the arguments.
struct Invocation: Sendable {
    /// Where an event has come from, and who is told what goes wrong.
    enum Origin: Sendable {
        case socket(Socket)
        /// Another server.
        case cluster(Namespace)

        func report(_ error: any Error, event: String) {
            switch self {
            case .socket(let socket): socket.report(error, event: event)
            case .cluster(let namespace): namespace.report(error, socket: nil, event: event)
            }
        }
    }

    let origin: Origin
    let event: String
    let ack: (any AckSending)?
    /// Whether a listener that returns nothing is to send an empty acknowledgement.
    let answersEmpty: Bool
    let executor: LoopTaskExecutor?
    /// That of the handler's call, with tracing.
    var span: HandlerSpan?

    /// Starts an async handler: on this loop, at once, in the order of arrival.
    func start(_ operation: @escaping @Sendable () async throws -> Void) {
        var connection: ClientConnection?
        if case .socket(let socket) = self.origin { connection = socket.connection }
        let handling = connection?.server.observation?.beginAsync()
        connection?.beginHandler()
        self.span?.becomeAsync()
        startTask(on: self.executor) { [origin, event, connection, span] in
            do {
                try await operation()
                span?.end(nil)
            } catch {
                span?.end(error)
                origin.report(error, event: event)
            }
            connection?.endHandler()
            handling?.end()
        }
    }
}

extension AckSender: AckSending {}
