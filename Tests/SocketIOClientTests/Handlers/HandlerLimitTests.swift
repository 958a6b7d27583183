import SocketIOCore
import TestSupport
import Testing

@testable import SocketIOClient

/// A server that sends faster than handlers end.
struct HandlerLimitTests {
    private let network = FakeNetwork()
    private let record = Recorder()

    /// Lets handlers end, one for each step.
    private let steps = Awaited(0)

    private func configuration(_ handlers: Int, bytes: Int = 1 << 20) -> SocketIOClientConfiguration {
        var configuration = SocketIOClientConfiguration.quick
        configuration.maxRunningHandlers = handlers
        configuration.maxWaitingBytes = bytes
        return configuration
    }

    private func listen(_ client: SocketIOClient) {
        client.on("n") { (number: Int) in
            self.record.add("\(number)")
            try await self.steps.wait("a step") { steps -> Bool? in
                guard steps > 0 else { return nil }
                steps -= 1
                return true
            }
        }
    }

    @Test func eventsWaitAndAcknowledgementsDoNot() async throws {
        let (client, engine) = try await self.network.connected("/", self.configuration(2))
        self.listen(client)
        for number in 0..<100 { engine.receive("2[\"n\",\(number)]") }
        async let answer = client.emitWithAck("q", as: Int.self)
        #expect(try await engine.next() == #"20["q"]"#)
        engine.receive("30[7]")
        #expect(try await answer == 7)
        #expect(self.record.all == ["0", "1"])
        #expect(client.core.handlers.count == 2)
        self.steps.update { $0 = 100 }
        #expect(try await self.record.wait(count: 100) == (0..<100).map { "\($0)" })
        try await eventually("all have ended") { client.core.handlers.count == 0 }
        // From here on nothing waits.
        engine.receive(#"2["n",100]"#)
        try await self.record.wait(count: 101)
        self.steps.update { $0 += 1 }
    }

    @Test func handlersOfAnActorWaitToo() async throws {
        let (client, engine) = try await self.network.connected("/", self.configuration(3, bytes: 4 << 20))
        let model = await Model(client)
        for number in 0..<5000 { engine.receive("2[\"n\",\(number)]") }
        try await eventually("all events") { await model.numbers.count == 5000 }
        #expect(await model.numbers == Array(0..<5000))
    }

    @Test func tooMuchThatWaitsEndsTheConnection() async throws {
        let (client, engine) = try await self.network.connected("/", self.configuration(1, bytes: 2000))
        self.listen(client)
        client.onDisconnect { self.record.add("\($0.reason) \($0.error.map { code(of: $0) } ?? "-")") }
        for number in 0..<50 { engine.receive("2[\"n\",\(number)]") }
        try await self.record.wait(for: "transport error limit_exceeded")
        try await engine.waitFor(call: "close")
        // What waited was taken, so it comes all the same; what did not fit was not.
        self.steps.update { $0 = 50 }
        let next = try await self.network.next()
        try await next.join()
        next.receive(#"2["n",-1]"#)
        try await self.record.wait(for: "-1")
        let numbers = self.record.all.filter { Int($0) != nil }
        #expect(numbers.dropLast() == (0..<numbers.count - 1).map { "\($0)" }[...])
        #expect((3..<10).contains(numbers.count))
    }

    @Test func whatWaitsIsForgottenWithTheNamespace() async throws {
        let (client, engine) = try await self.network.connected("/", self.configuration(1))
        self.listen(client)
        for number in 0..<10 { engine.receive("2[\"n\",\(number)]") }
        client.leave()
        #expect(try await engine.next() == "1")
        self.steps.update { $0 = 20 }
        try await eventually("the handler has ended") { client.core.handlers.count == 0 }
        client.open()
        let next = try await self.network.next()
        try await next.join()
        for number in 100..<105 { next.receive("2[\"n\",\(number)]") }
        #expect(try await self.record.wait(count: 6) == ["0", "100", "101", "102", "103", "104"])
    }

    @Test func anAnswerGoesToTheConnectionThatHasAsked() async throws {
        let (client, engine) = try await self.network.connected("/", self.configuration(1))
        self.listen(client)
        client.on("q") { self.record.add("q") }
        engine.receive(#"2["n",0]"#, #"25["q"]"#)
        try await self.record.wait(for: "0")
        engine.end()
        let next = try await self.network.next()
        try await next.join()
        try await client.connect()
        self.steps.update { $0 = 1 }
        try await self.record.wait(for: "q")
        client.emit("sync")
        #expect(try await next.next() == #"2["sync"]"#)
    }

    @Test func pingsAreLeftOutWhenTheirHandlersDoNotEnd() async throws {
        let (client, engine) = try await self.network.connected("/", self.configuration(2))
        client.onPing {
            self.record.add("ping")
            try await self.steps.wait("a step") { $0 > 0 ? true : nil }
        }
        for _ in 0..<10 { engine.ping() }
        client.on("sync") { self.record.add("sync") }
        engine.receive(#"2["sync"]"#)
        #expect(try await self.record.wait(count: 3) == ["ping", "ping", "sync"])
        self.steps.update { $0 = 1 }
    }
}

@MainActor private final class Model {
    var numbers: [Int] = []

    init(_ client: SocketIOClient) {
        client.on("n") { [weak self] (number: Int) in self?.numbers.append(number) }
    }
}
