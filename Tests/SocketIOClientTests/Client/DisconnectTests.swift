import SocketIOCore
import TestSupport
import Testing

@testable import SocketIOClient

/// What holds when `disconnect()` has returned.
struct DisconnectTests {
    private let network = FakeNetwork()
    private let record = Recorder()

    /// Waits until the task is cancelled.
    private static func untilCancelled() async { try? await Task.sleep(for: .seconds(600)) }

    @Test func handlersAreCancelledAndAwaited() async throws {
        let (client, engine) = try await self.network.connected()
        client.on("long") { (number: Int) in
            self.record.add("begun \(number)")
            await Self.untilCancelled()
            for _ in 0..<100 { await Task.yield() }
            self.record.add("ended \(number)")
        }
        client.onAny { name, _ in
            await Self.untilCancelled()
            self.record.add("any ended")
        }
        client.onDisconnect { end in
            // Nobody cancels what the end itself has started.
            for _ in 0..<100 { await Task.yield() }
            self.record.add("\(end.reason) \(Task.isCancelled)")
        }
        engine.receive(#"2["long",1]"#, #"2["long",2]"#)
        try await self.record.wait(count: 2)
        await client.disconnect()
        #expect(
            self.record.all.sorted() == [
                "any ended", "any ended", "begun 1", "begun 2", "ended 1", "ended 2", "io client disconnect false",
            ])
        #expect(client.core.handlers.count == 0)
        #expect(try await engine.next() == "1")
        #expect(client.state == .disconnected)
    }

    /// That a handler ends because it was told to is no error.
    @Test func cancelledHandlersAreNotReported() async throws {
        let (client, engine) = try await self.network.connected()
        client.onError { self.record.add("error \($0)") }
        client.on("long") {
            self.record.add("begun")
            try await Task.sleep(for: .seconds(600))
        }
        client.on("cancels") { throw CancellationError() }
        engine.receive(#"2["cancels"]"#)
        // Nobody has cancelled this one.
        try await self.record.wait(for: "error CancellationError()")
        engine.receive(#"2["long"]"#)
        try await self.record.wait(for: "begun")
        await client.disconnect()
        #expect(self.record.all == ["error CancellationError()", "begun"])
        #expect(client.core.handlers.count == 0)
    }

    @Test func whatTheEndOfAHandlerStartsIsAwaited() async throws {
        let (client, engine) = try await self.network.connected()
        client.onError {
            for _ in 0..<1000 { await Task.yield() }
            self.record.add("error \($0)")
        }
        client.on("long") {
            self.record.add("begun")
            await Self.untilCancelled()
            throw TestError()
        }
        engine.receive(#"2["long"]"#)
        try await self.record.wait(for: "begun")
        await client.disconnect()
        #expect(self.record.all == ["begun", "error TestError()"])
        #expect(client.core.handlers.count == 0)
    }

    @Test func noHandlerStartsAfterIt() async throws {
        for _ in 0..<20 {
            let network = FakeNetwork()
            let (client, engine) = try await network.connected()
            let isClosed = Flag()
            let late = Awaited(0)
            let begun = Awaited(0)
            let listen: @Sendable () -> Void = {
                begun.update { $0 += 1 }
                if isClosed.isSet { late.update { $0 += 1 } }
            }
            client.on("x") { listen() }
            client.on("x") { @MainActor in listen() }
            client.onAny { _, _ in listen() }
            let flood = Task { for _ in 0..<500 { engine.receive(#"2["x"]"#) } }
            try await begun.wait("the first") { $0 > 10 ? true : nil }
            await client.disconnect()
            isClosed.set()
            await flood.value
            try await engine.settle()
            await MainActor.run {}
            #expect(late.value == 0)
        }
    }

    /// From inside: the handler goes on, the others are cancelled.
    @Test func calledFromAHandler() async throws {
        let (client, engine) = try await self.network.connected()
        client.on("long") {
            self.record.add("begun")
            await Self.untilCancelled()
            self.record.add("cancelled")
        }
        client.on("bye") { [weak client] in
            await client?.disconnect()
            await Task { await client?.disconnect() }.value
            for _ in 0..<10 { await Task.yield() }
            self.record.add("still here: \(!Task.isCancelled)")
        }
        engine.receive(#"2["long"]"#, #"2["bye"]"#)
        try await self.record.wait(for: "cancelled")
        try await self.record.wait(for: "still here: true")
        try await eventually("both have ended") { client.core.handlers.count == 0 }
        #expect(client.state == .disconnected)
    }

    /// Neither waits for the other.
    @Test func calledFromTwoHandlers() async throws {
        let (client, engine) = try await self.network.connected()
        let begun = Awaited(0)
        client.on("bye") { [weak client] in
            begun.update { $0 += 1 }
            _ = try? await begun.wait("both") { $0 == 2 ? true : nil }
            await client?.disconnect()
            self.record.add("closed")
        }
        engine.receive(#"2["bye"]"#, #"2["bye"]"#)
        try await self.record.wait(count: 2)
        await client.disconnect()
        #expect(client.core.handlers.count == 0)
    }

    @Test func ofAClientThatIsNotConnected() async throws {
        var configuration = SocketIOClientConfiguration.quick
        configuration.autoConnect = false
        let client = self.network.client("/", configuration)
        await client.disconnect()
        client.open()
        let engine = try await self.network.next()
        let waiting = Task { try await client.connect() }
        try await eventually { try await client.pendingCount == 1 }
        await client.disconnect()
        #expect(await thrown { try await waiting.value } == "disconnected")
        try await engine.waitFor(call: "close")
        // It can be used again.
        client.open()
        try await self.network.next().join()
        try await client.connect()
        await client.disconnect()
        await client.disconnect()
    }
}
