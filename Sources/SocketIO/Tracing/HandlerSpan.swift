import Synchronization
import Tracing

/// The span of a handler's call. Who calls the handler ends it, unless the handler is async and has taken that over.
final class HandlerSpan: Sendable {
    private let span: any Span
    private let isAsync = Atomic<Bool>(false)

    init(_ span: any Span) { self.span = span }

    /// Calls a handler: spans and tasks that it begins are below this one.
    func call(_ body: () throws -> Void) rethrows {
        try ServiceContext.$current.withValue(self.span.context) { try body() }
    }

    func becomeAsync() { self.isAsync.store(true, ordering: .relaxed) }

    /// The handler has returned, or thrown.
    func returned(_ error: (any Error)?) {
        if !self.isAsync.load(ordering: .relaxed) { self.end(error) }
    }

    func end(_ error: (any Error)?) {
        if let error { self.span.end(failing: error) } else { self.span.end() }
    }
}
