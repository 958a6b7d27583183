import InMemoryTracing
import Metrics
import MetricsTestKit
import TestSupport
import Testing
import Tracing

@testable import SocketIO

/// The spans of a server, with a tracer that keeps them.
struct TracingTests {
    private func withTracer(
        _ configure: (inout SocketIOConfiguration) -> Void = { _ in },
        _ body: (SocketIOServer, Int, InMemoryTracer) async throws -> Void
    ) async throws {
        let tracer = InMemoryTracer()
        try await withServer {
            $0.tracing = TracingConfiguration(tracer: tracer)
            configure(&$0)
        } _: { io, port in
            try await body(io, port, tracer)
        }
        #expect(tracer.activeSpans.isEmpty, "a closed server has no open span")
    }

    @Test func withoutConfigurationThereIsNothing() async throws {
        try await withServer { io, port in
            let contexts = Awaited<[ServiceContext?]>([])
            io.onConnection { socket in
                socket.on("event") { contexts.update { $0.append(ServiceContext.current) } }
            }
            let client = try await join(port)
            try client.emit("event")
            let seen = try await contexts.wait("the event") { $0.isEmpty ? nil : $0 }
            #expect(seen.allSatisfy { $0 == nil })
            #expect(io.observation == nil)
            #expect(try await onlySocket(io.main).connectContext == nil)
            await client.close()
        }
    }

    @Test func aConnectionAndItsEvents() async throws {
        try await self.withTracer { io, port, tracer in
            io.use { _ in tracer.mark("middleware") }
            io.onConnection { socket in
                tracer.mark("connection")
                socket.on("sync event") { (text: String) in
                    tracer.mark("inside")
                    return text
                }
                socket.on("async event") { (text: String) async throws -> Void in
                    await Task.yield()
                    tracer.mark("inside async")
                }
            }
            let client = try await join(port)
            let connect = try await tracer.finished("socketio.connect")
            #expect(connect.kind == .server)
            #expect(connect.parentSpanID == nil)
            #expect(connect.status == nil && connect.errors.isEmpty)
            #expect(connect.text("socketio.namespace") == "/")
            #expect(connect.text("socketio.transport") == "websocket")
            for name in ["middleware", "connection"] {
                let inside = try await tracer.finished(name)
                #expect(inside.parentSpanID == connect.spanID && inside.traceID == connect.traceID)
            }

            _ = try await client.emitWithAck("sync event", "\"x\"")
            let event = try await tracer.finished("socketio.event")
            #expect(event.kind == .server)
            #expect(event.parentSpanID == nil && event.traceID != connect.traceID)
            #expect(event.links.map(\.context.inMemorySpanContext) == [connect.spanContext])
            #expect(event.text("socketio.event") == "sync event")
            #expect(event.text("socketio.namespace") == "/")
            #expect(event.text("socketio.socket") == (try client.id()))
            #expect(event.status == nil)
            #expect(try await tracer.finished("inside").parentSpanID == event.spanID)

            tracer.clearFinishedSpans()
            try client.emit("async event", "\"x\"")
            let async = try await tracer.finished("socketio.event")
            #expect(async.kind == .consumer)
            #expect(async.links.map(\.context.inMemorySpanContext) == [connect.spanContext])
            let inside = try await tracer.finished("inside async")
            #expect(inside.parentSpanID == async.spanID)

            // What nobody listens to is no event.
            tracer.clearFinishedSpans()
            try client.emit("unknown")
            try await client.sync()
            #expect(tracer.finishedSpans.allSatisfy { $0.text("socketio.event") == "sync" })
            await client.close()
        }
    }

    @Test func asyncHandlersEndTheirSpansThemselves() async throws {
        let door = Door()
        try await self.withTracer { io, port, tracer in
            io.onConnection { socket in socket.on("wait") { () async throws -> Void in try await door.pass() } }
            let client = try await join(port)
            try client.emit("wait")
            try await eventually("the handler") { tracer.activeSpans.map(\.operationName) == ["socketio.event"] }
            try await client.sync()
            #expect(tracer.activeSpans.map(\.operationName) == ["socketio.event"])
            door.open()
            try await eventually("its end") { tracer.activeSpans.isEmpty }
            await client.close()
        }
    }

    @Test func errorsOfHandlers() async throws {
        let errors = ErrorRecorder()
        try await self.withTracer {
            $0.onError = errors.hook
        } _: { io, port, tracer in
            io.onConnection { socket in
                socket.on("throws") { () throws -> Bool in throw TestError("sync") }
                socket.on("async") { () async throws -> Bool in throw TestError("async") }
                socket.on("number") { (number: Int) in number }
            }
            let client = try await join(port)
            for event in ["throws", "async", "number"] {
                tracer.clearFinishedSpans()
                try client.emit(event, "\"no number\"")
                let span = try await tracer.finished("socketio.event")
                #expect(span.status?.code == .error)
                #expect(span.errors.count == 1)
                #expect(span.text("socketio.event") == event)
            }
            try await errors.wait(count: 3)
            await client.close()
        }
    }

    @Test func refusals() async throws {
        try await self.withTracer { io, port, tracer in
            io.of("/closed").use { _ in throw ConnectError("members only") }
            let client = try await open(port)
            await #expect(throws: SIORefused.self) { try await client.connect("/closed") }
            var span = try await tracer.finished("socketio.connect")
            #expect(span.status?.code == .error)
            #expect(span.text("socketio.namespace") == "/closed")
            tracer.clearFinishedSpans()
            await #expect(throws: SIORefused.self) { try await client.connect("/unknown") }
            span = try await tracer.finished("socketio.connect")
            #expect(span.status?.code == .error)
            await client.close()
        }
    }

    @Test func aClientThatLeavesWhileItIsDecidedUpon() async throws {
        let door = Door()
        try await self.withTracer { io, port, tracer in
            io.use { _ in try await door.pass() }
            let client = try await open(port)
            try client.sendRaw("0")
            try await eventually("the middleware") { tracer.activeSpans.count == 1 }
            await client.close()
            let span = try await tracer.finished("socketio.connect")
            #expect(span.status?.code == .error)
            door.open()
        }
    }

    @Test func acknowledgements() async throws {
        try await self.withTracer { io, port, tracer in
            io.onConnection { socket in
                socket.on("ask back") { () async throws -> Int in try await socket.emitWithAck("question") }
            }
            let client = try await join(port)
            try client.emit("ask back")
            try client.acknowledge(try await client.nextEvent(), "1")
            let event = try await tracer.finished("socketio.event")
            let ack = try await tracer.finished("socketio.emit_with_ack")
            #expect(ack.kind == .client)
            #expect(ack.parentSpanID == event.spanID && ack.traceID == event.traceID)
            #expect(ack.text("socketio.event") == "question")
            #expect(ack.text("socketio.socket") == (try client.id()))
            #expect(ack.status == nil)

            tracer.clearFinishedSpans()
            let socket = try await onlySocket(io.main)
            await #expect(throws: SocketIOError.self) {
                let _: Int = try await socket.emitWithAck("question", timeout: .milliseconds(20))
            }
            let late = try await tracer.finished("socketio.emit_with_ack")
            #expect(late.status?.code == .error)
            #expect((late.errors.first?.error as? SocketIOError)?.code == .ackTimeout)
            await client.close()
        }
    }

    @Test func broadcastsWithAcknowledgements() async throws {
        try await self.withTracer { io, port, tracer in
            let client = try await join(port)
            try await tracer.withSpan("mine") { mine in
                async let answers: [Int] = io.timeout(.seconds(60)).emitWithAck("question")
                try client.acknowledge(try await client.nextEvent(), "1")
                #expect(try await answers == [1])
                let span = try await tracer.finished("socketio.broadcast_with_ack")
                #expect(span.parentSpanID == mine.spanID)
                #expect(span.text("socketio.event") == "question")
            }
            await client.close()
        }
    }

    /// A client that goes on where its connection was lost connects once more, through the middlewares.
    @Test func recoveredConnections() async throws {
        try await self.withTracer {
            $0.connectionStateRecovery = ConnectionStateRecovery(skipMiddlewares: false)
        } _: { io, port, tracer in
            io.use { _ in tracer.mark("middleware") }
            io.onConnection { _ in tracer.mark("connection") }
            let client = try await ReturningClient.join(port)
            io.emit("hello", 1)
            _ = try await client.next()
            try await client.lose()
            try await RecoveryTests.gone(client, io)
            tracer.clearFinishedSpans()
            try await client.comeBack(port)
            #expect(client.recovered)
            let connect = try await tracer.finished("socketio.connect")
            #expect(connect.status == nil)
            for name in ["middleware", "connection"] {
                #expect(try await tracer.finished(name).parentSpanID == connect.spanID)
            }
            let context = try await onlySocket(io.main).connectContext
            #expect(context?.inMemorySpanContext == connect.spanContext)
            await client.close()
        }
    }

    /// A client's headers count only where they are wanted.
    @Test(arguments: [true, false]) func tracesOfClients(continues: Bool) async throws {
        try await self.withTracer {
            $0.tracing?.continuesTraces = continues
        } _: { _, port, tracer in
            var options = EIOOptions(port: port, transport: .websocket)
            options.headers = [(InMemoryTracer.traceIDKey, "trace"), (InMemoryTracer.spanIDKey, "span")]
            let client = try await SIOClient.open(options)
            try await client.connect()
            let connect = try await tracer.finished("socketio.connect")
            #expect((connect.traceID == "trace") == continues)
            #expect(connect.parentSpanID == (continues ? "span" : nil))
            await client.close()
        }
    }

    /// Nothing of a trace leaves the server.
    @Test func nothingIsInjected() async throws {
        try await self.withTracer { io, port, tracer in
            io.onConnection { socket in
                socket.on("echo") { (text: String) in
                    socket.emit("echo", text)
                    io.emit("all", text)
                }
            }
            let client = try await join(port)
            try client.emit("echo", "\"x\"")
            _ = try await client.expectEvent("echo")
            _ = try await client.expectEvent("all")
            #expect(tracer.performedContextInjections.isEmpty)
            await client.close()
        }
    }

    @Test func withMetricsToo() async throws {
        let metrics = TestMetrics()
        try await self.withTracer {
            $0.metrics = MetricsConfiguration(factory: metrics)
            $0.metrics?.interval = .milliseconds(5)
        } _: { io, port, tracer in
            io.onConnection { socket in
                socket.on("async") { () async throws -> Bool in
                    await Task.yield()
                    return true
                }
            }
            let client = try await join(port)
            _ = try await client.emitWithAck("async")
            try await client.sync()
            try await eventually("one duration each") {
                metrics.durations("handler_duration_seconds", ("kind", "async")).count == 1
                    && metrics.durations("handler_duration_seconds", ("kind", "sync")).count == 1
            }
            #expect(tracer.finishedSpans.count { $0.operationName == "socketio.event" } == 2)
            await client.close()
        }
    }
}

extension InMemoryTracer {
    /// A span without length, below the present one.
    func mark(_ name: String) { self.startSpan(name).end() }

    /// Waits for the end of the first span of that name.
    func finished(_ name: String) async throws -> FinishedInMemorySpan {
        let found = Awaited<FinishedInMemorySpan?>(nil)
        try await eventually("the end of the span \(name)") {
            guard let span = self.finishedSpans.first(where: { $0.operationName == name }) else { return false }
            found.update { $0 = span }
            return true
        }
        guard let span = found.value else { throw PeerError("no span \(name)") }
        return span
    }
}

extension FinishedInMemorySpan {
    /// An attribute that is a text.
    func text(_ name: String) -> String? {
        if case .string(let text) = self.attributes.get(name) { text } else { nil }
    }
}
