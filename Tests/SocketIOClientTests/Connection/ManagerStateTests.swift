import EngineIOClient
import SocketIOCore
import Testing

@testable import SocketIOClient

struct ManagerStateTests {
    private let refused = EngineClientError(.refused, "nobody there")

    private func state(_ change: (inout SocketIOClientConfiguration.Reconnection) -> Void = { _ in }) -> ManagerState {
        var policy = SocketIOClientConfiguration.Reconnection()
        change(&policy)
        return ManagerState(policy)
    }

    private func opened() -> ManagerState {
        var state = self.state()
        _ = state.want(true)
        _ = state.opened()
        return state
    }

    @Test func opensWhenItIsWanted() {
        var state = self.state()
        #expect(describe(state.want(true)) == ["open"])
        #expect(describe(state.want(true)) == [])
        #expect(describe(state.opened()) == ["opened"])
        #expect(state.phase == .open)
        #expect(describe(state.want(false)) == ["close", "closed io client disconnect"])
        #expect(state.phase == .closed)
        #expect(describe(state.want(true)) == ["open"])
    }

    @Test func triesAgainAfterAFailure() {
        var state = self.state()
        _ = state.want(true)
        #expect(
            describe(state.ended(.transportError, self.refused, random: 0.5)) == [
                "failed connection refused", "timer 1.0 seconds",
            ])
        #expect(describe(state.delayIsOver()) == ["attempt 1", "open"])
        #expect(
            describe(state.ended(.transportError, self.refused, random: 0.5)) == [
                "failed connection refused", "reconnect error connection refused", "timer 2.0 seconds",
            ])
        #expect(describe(state.delayIsOver()) == ["attempt 2", "open"])
        #expect(describe(state.opened()) == ["reconnected 2", "opened"])
        #expect(
            describe(state.ended(.pingTimeout, nil, random: 0.5)) == ["closed ping timeout", "timer 1.0 seconds"])
        #expect(describe(state.delayIsOver()) == ["attempt 1", "open"])
    }

    @Test func givesUpAfterSoMany() {
        var state = self.state { $0.maxAttempts = 1 }
        _ = state.want(true)
        _ = state.ended(.transportError, self.refused, random: 0.5)
        _ = state.delayIsOver()
        #expect(
            describe(state.ended(.transportError, self.refused, random: 0.5)) == [
                "failed connection refused", "reconnect error connection refused", "reconnect failed",
                "gave up connection refused",
            ])
        #expect(state.phase == .closed)
        #expect(describe(state.want(true)) == ["open"])
    }

    @Test func doesNotTryAgainUnlessItMay() {
        var state = self.state { $0.isEnabled = false }
        _ = state.want(true)
        #expect(
            describe(state.ended(.transportError, self.refused, random: 0.5)) == [
                "failed connection refused", "gave up connection refused",
            ])
        state = self.state()
        _ = state.want(true)
        let invalid = EngineClientError(.invalidConfiguration, "no such scheme")
        #expect(
            describe(state.ended(.transportError, invalid, random: 0.5)) == [
                "failed invalid configuration", "gave up invalid configuration",
            ])
    }

    @Test func whatIsNotWantedAnyMoreIsNotTried() {
        var state = self.state()
        _ = state.want(true)
        _ = state.ended(.transportError, self.refused, random: 0.5)
        #expect(describe(state.want(false)) == ["stop timer"])
        #expect(describe(state.delayIsOver()) == [])
        #expect(describe(state.reconnectNow()) == [])
        #expect(describe(state.opened()) == [])
        #expect(describe(state.ended(.transportClose, nil, random: 0.5)) == [])
    }

    @Test func doesNotWaitIfItIsTold() {
        var state = self.opened()
        #expect(describe(state.reconnectNow()) == [])
        _ = state.ended(.transportClose, nil, random: 0.5)
        #expect(describe(state.reconnectNow()) == ["stop timer", "attempt 1", "open"])
        #expect(describe(state.reconnectNow()) == [])
    }

    @Test func waitsForANetwork() {
        var state = self.opened()
        #expect(describe(state.networkChanged(isAvailable: true)) == ["check"])
        #expect(describe(state.networkChanged(isAvailable: false)) == ["cut", "closed transport close"])
        #expect(state.phase == .suspended)
        #expect(describe(state.networkChanged(isAvailable: false)) == [])
        #expect(describe(state.networkChanged(isAvailable: true)) == ["attempt 1", "open"])
        // An attempt that is under way was made over the network that was.
        #expect(describe(state.networkChanged(isAvailable: true)) == ["cut", "attempt 1", "open"])
        #expect(describe(state.networkChanged(isAvailable: false)) == ["cut"])
        #expect(describe(state.reconnectNow()) == ["attempt 1", "open"])
    }

    @Test func startsWithoutANetwork() {
        var state = self.state()
        #expect(describe(state.networkChanged(isAvailable: false)) == [])
        #expect(describe(state.want(true)) == [])
        #expect(state.phase == .suspended)
        #expect(describe(state.networkChanged(isAvailable: true)) == ["attempt 1", "open"])
        // A network that is there again cuts the delay.
        _ = state.ended(.transportError, self.refused, random: 0.5)
        #expect(describe(state.networkChanged(isAvailable: true)) == ["stop timer", "attempt 1", "open"])
    }

    /// An attempt over a network that is gone, or from before a sleep, would be waited for in vain.
    @Test func anAttemptIsMadeAnew() {
        for change in [{ $0.networkChanged(isAvailable: true) }, { $0.foreground() }]
            as [(inout ManagerState) -> [ManagerState.Action]]
        {
            var state = self.state()
            _ = state.want(true)
            // The first is still the first.
            #expect(describe(change(&state)) == ["cut", "open"])
            #expect(state.phase == .opening)
            #expect(
                describe(state.ended(.transportError, self.refused, random: 0.5)).first == "failed connection refused")
            _ = state.delayIsOver()
            _ = state.ended(.transportError, self.refused, random: 0.5)
            _ = state.delayIsOver()
            #expect(describe(change(&state)) == ["cut", "attempt 1", "open"])
            #expect(describe(state.opened()) == ["reconnected 1", "opened"])
            #expect(describe(change(&state)) == ["check"])
        }
    }

    @Test func pausesInTheBackground() {
        var state = self.opened()
        #expect(describe(state.background()) == ["close", "closed transport close"])
        #expect(describe(state.networkChanged(isAvailable: true)) == [])
        #expect(state.phase == .suspended)
        #expect(describe(state.foreground()) == ["attempt 1", "open"])
        #expect(describe(state.opened()) == ["reconnected 1", "opened"])
        #expect(describe(state.foreground()) == ["check"])
        _ = state.ended(.transportClose, nil, random: 0.5)
        #expect(describe(state.background()) == ["stop timer"])
        #expect(describe(state.want(false)) == [])
        #expect(describe(state.foreground()) == [])
    }
}

/// Actions in words.
private func describe(_ actions: [ManagerState.Action]) -> [String] {
    actions.map { action in
        switch action {
        case .open: "open"
        case .close: "close"
        case .cut: "cut"
        case .checkLiveness: "check"
        case .startTimer(let delay): "timer \(delay)"
        case .stopTimer: "stop timer"
        case .opened: "opened"
        case .closed(let reason, _): "closed \(reason)"
        case .failed(let error): "failed \(code(of: error))"
        case .gaveUp(let error): "gave up \(code(of: error))"
        case .reconnectAttempt(let number): "attempt \(number)"
        case .reconnectError(let error): "reconnect error \(code(of: error))"
        case .reconnected(let number): "reconnected \(number)"
        case .reconnectFailed: "reconnect failed"
        }
    }
}
