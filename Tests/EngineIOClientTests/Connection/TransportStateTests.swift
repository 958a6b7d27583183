import Testing

@testable import EngineIOClient

struct TransportStateTests {
    typealias Step = TransportState.Step

    /// Steps until there is none; a write is taken to send everything, a POST too.
    private static func steps(_ state: inout TransportState, outbound: Bool = false, canWrite: Bool = true) -> [Step] {
        var facts = TransportState.Facts(hasOutbound: outbound, canWrite: canWrite)
        var steps: [Step] = []
        while let step = state.step(facts) {
            steps.append(step)
            if step == .post || step == .write { facts.hasOutbound = false }
            if step == .finish { state.closed() }
        }
        return steps
    }

    private static func polling(canUpgrade: Bool) -> TransportState {
        var state = TransportState()
        state.open(.polling)
        _ = self.steps(&state)
        state.getEnded()
        state.opened(canUpgrade: canUpgrade)
        return state
    }

    @Test func opening() {
        var state = TransportState()
        #expect(Self.steps(&state, outbound: true) == [])
        state.open(.polling)
        #expect(Self.steps(&state, outbound: true) == [.get])
        state.openingFailed()
        #expect(Self.steps(&state) == [])
        state.open(.websocket)
        #expect(Self.steps(&state, outbound: true) == [.openWebSocket])
        state.opened(canUpgrade: true)
        #expect(Self.steps(&state, outbound: true) == [.write])
        #expect(Self.steps(&state, outbound: true, canWrite: false) == [])
    }

    @Test func polling() {
        var state = Self.polling(canUpgrade: false)
        #expect(Self.steps(&state) == [.get])
        #expect(Self.steps(&state, outbound: true) == [.post])
        // One of each at a time.
        #expect(Self.steps(&state, outbound: true) == [])
        state.postEnded()
        #expect(Self.steps(&state, outbound: true) == [.post])
        state.getEnded()
        #expect(Self.steps(&state) == [.get])
    }

    @Test func upgrade() {
        var state = Self.polling(canUpgrade: true)
        #expect(Self.steps(&state, outbound: true) == [.get, .post, .openProbe])
        #expect(state.probeAnswered() == false)
        #expect(state.probeOpened() == true)
        #expect(state.probeOpened() == false)
        state.postEnded()
        // Polling goes on while the probe is out.
        #expect(Self.steps(&state, outbound: true) == [.post])
        #expect(state.probeAnswered() == true)
        #expect(state.probeAnswered() == false)
        state.postEnded()
        #expect(Self.steps(&state, outbound: true) == [])
        state.getEnded()
        #expect(Self.steps(&state, outbound: true) == [.switchTransport, .write])
        #expect(state.transport == .websocket)
        #expect(Self.steps(&state) == [])
    }

    @Test func upgradeFails() {
        var state = Self.polling(canUpgrade: true)
        #expect(Self.steps(&state) == [.get, .openProbe])
        _ = state.probeOpened()
        _ = state.probeAnswered()
        state.getEnded()
        state.upgradeFailed()
        #expect(Self.steps(&state, outbound: true) == [.get, .post])
        #expect(state.transport == .polling)
    }

    @Test func closing() {
        var polling = Self.polling(canUpgrade: true)
        _ = Self.steps(&polling, outbound: true)
        #expect(polling.close() == true)
        #expect(polling.close() == false)
        // The POST under way first, then what waits, then the end.
        #expect(Self.steps(&polling, outbound: true) == [])
        polling.postEnded()
        #expect(Self.steps(&polling, outbound: true) == [.post])
        polling.postEnded()
        #expect(Self.steps(&polling) == [.finish])

        var webSocket = TransportState()
        webSocket.open(.websocket)
        _ = Self.steps(&webSocket)
        webSocket.opened(canUpgrade: false)
        #expect(webSocket.close() == true)
        #expect(Self.steps(&webSocket, outbound: true, canWrite: false) == [])
        #expect(Self.steps(&webSocket, outbound: true) == [.write, .sendCloseFrame])
        #expect(Self.steps(&webSocket) == [])
    }

    @Test func closingWhilePausing() {
        var state = Self.polling(canUpgrade: true)
        #expect(Self.steps(&state) == [.get, .openProbe])
        _ = state.probeOpened()
        _ = state.probeAnswered()
        #expect(state.close() == true)
        #expect(Self.steps(&state, outbound: true) == [.post])
        state.postEnded()
        #expect(Self.steps(&state) == [.finish])
    }

    @Test func closingBeforeItIsOpen() {
        var state = TransportState()
        #expect(state.close() == false)
        state.open(.polling)
        #expect(state.close() == false)
        state.closed()
        #expect(state.close() == false)
        #expect(Self.steps(&state, outbound: true) == [])
    }
}
