import NIOCore
import Testing

@testable import EngineIO

/// The state machine of a session, without a socket.
struct SessionStateTests {
    let get = FakeEndpoint()
    let post = FakeEndpoint()
    let webSocket = FakeEndpoint()

    private func name(_ poll: SessionState.Poll) -> String { "\(poll)" }

    // MARK: Polling

    @Test func packetsWaitForAGet() {
        var state = SessionState.polling()
        #expect(state.add("a") == "queued")
        #expect(state.add("b") == "queued")
        #expect(state.beginDrain() == nil)
        #expect(name(state.beginPoll(self.get, now: 1)) == "drain")
        #expect(state.poll(self.get) == ["a", "b"])
        #expect(state.poll == nil)
        #expect(state.poll(self.get) == nil)
    }

    @Test func aGetWaitsForPackets() {
        var state = SessionState.polling()
        #expect(name(state.beginPoll(self.get, now: 1)) == "wait")
        #expect(state.poll(self.get) == nil)
        #expect(state.add("a") == "wake")
        // Told once until it drains.
        #expect(state.add("b") == "queued")
        #expect(state.beginDrain() === self.get)
        #expect(state.poll(self.get) == ["a", "b"])
        #expect(state.add("c") == "queued")
        #expect(state.beginDrain() == nil)
    }

    @Test func anAnswerHoldsAboutSoManyBytes() {
        var state = SessionState.polling()
        for text in ["aaaa", "bbbb", "cccc"] { state.add(text) }
        _ = state.beginPoll(self.get, now: 1)
        #expect(state.poll(self.get, maxBytes: 5) == ["aaaa", "bbbb"])
        _ = state.beginPoll(self.get, now: 2)
        #expect(state.poll(self.get, maxBytes: 5) == ["cccc"])
    }

    @Test func oneGetAtATime() {
        var state = SessionState.polling()
        _ = state.beginPoll(self.get, now: 1)
        #expect(name(state.beginPoll(FakeEndpoint(), now: 2)) == "conflict")
        #expect(state.poll === self.get)
    }

    @Test func onePostAtATime() {
        var state = SessionState.polling()
        #expect("\(state.beginPost(self.post))" == "accepted")
        #expect("\(state.beginPost(FakeEndpoint()))" == "conflict")
        #expect(state.endPost(FakeEndpoint()) == false)
        #expect(state.endPost(self.post) == true)
        #expect("\(state.beginPost(FakeEndpoint()))" == "accepted")
    }

    @Test func aGetThatIsGivenUpTakesNothing() {
        var state = SessionState.polling()
        _ = state.beginPoll(self.get, now: 1)
        state.add("a")
        #expect(state.endPoll(self.get) == true)
        #expect(state.beginDrain() == nil)
        #expect(state.poll(self.get) == nil)
        #expect(state.endPoll(self.get) == false)
        #expect(state.outbox.count == 1)
    }

    // MARK: WebSocket

    @Test func packetsLeaveByWebSocketAtOnce() {
        var state = SessionState.webSocket(self.webSocket)
        #expect(state.add("a") == "wake")
        #expect(state.add("b") == "queued")
        #expect(state.beginDrain() === self.webSocket)
        #expect(state.write(self.webSocket).frames == ["a", "b"])
        #expect(state.add("c") == "wake")
    }

    @Test func aWebSocketTakesAboutSoManyBytes() {
        var state = SessionState.webSocket(self.webSocket)
        for text in ["aaaa", "bbbb", "cccc"] { state.add(text) }
        #expect(state.write(self.webSocket, maxBytes: 5) == (["aaaa", "bbbb"], true))
        #expect(state.write(self.webSocket, maxBytes: 5) == (["cccc"], false))
    }

    /// What comes, or is asked for, between the last packet of a drain and its end must not wait for the next packet.
    @Test func theEndOfADrainLooksAgain() {
        var state = SessionState.webSocket(self.webSocket)
        state.drained(self.webSocket, isWritable: false, bytesInFlight: 70)
        #expect(state.add("late") == "queued")
        guard case .wake(let endpoint) = state.drained(self.webSocket, isWritable: true, bytesInFlight: 0) else {
            Issue.record("nobody is told")
            return
        }
        #expect(endpoint === self.webSocket)
        // It is told once.
        guard case .nothing = state.drained(self.webSocket, isWritable: true, bytesInFlight: 0) else {
            Issue.record("told twice")
            return
        }

        state = SessionState.webSocket(self.webSocket)
        state.drained(self.webSocket, isWritable: false, bytesInFlight: 70)
        guard case .later(wake: nil) = state.beginClose(now: 1) else {
            Issue.record("closed before the last bytes have left")
            return
        }
        guard case .closing = state.drained(self.webSocket, isWritable: true, bytesInFlight: 0) else {
            Issue.record("nobody closes")
            return
        }
    }

    @Test func aFullWebSocketIsNotTold() {
        var state = SessionState.webSocket(self.webSocket)
        state.drained(self.webSocket, isWritable: false, bytesInFlight: 70)
        #expect(state.add("aaaa") == "queued")
        state.drained(self.webSocket, isWritable: true, bytesInFlight: 0)
        #expect(state.write(self.webSocket) == (["aaaa"], false))
        _ = state.beginDrain()
        #expect(state.add("b") == "wake")
        // Another one's report counts for nothing.
        state.drained(FakeEndpoint(), isWritable: false, bytesInFlight: 70)
        #expect(state.isWritable)
    }

    @Test func webSocketSessionsDoNotPoll() {
        var state = SessionState.webSocket(self.webSocket)
        #expect(name(state.beginPoll(self.get, now: 1)) == "mismatch")
        #expect("\(state.beginPost(self.post))" == "mismatch")
        #expect(state.beginUpgrade(FakeEndpoint(), now: 1) == false)
    }

    // MARK: Bounds

    @Test func theOutboxIsBounded() {
        var state = SessionState.polling()
        let kilo = String(repeating: "x", count: 60)
        // Each counts with what holds it in memory.
        for _ in 0..<3 { #expect(state.add(kilo) == "queued") }
        #expect(state.outbox.cost == 3 * (60 + Outbox.packetOverhead))
        // One packet over the limit is taken, none more.
        #expect(state.add(kilo) == "queued")
        #expect(state.add("x") == "overflow")
        #expect(state.outbox.byteCount == 240)
    }

    @Test func whatIsUnderWayCountsToo() {
        var state = SessionState.webSocket(self.webSocket)
        state.drained(self.webSocket, isWritable: false, bytesInFlight: 1001)
        #expect(state.add("x") == "overflow")
        state.drained(self.webSocket, isWritable: true, bytesInFlight: 0)
        #expect(state.add("x") == "wake")
    }

    // MARK: Volatile packets

    @Test func volatilePacketsNeedAGet() {
        var state = SessionState.polling()
        #expect(state.add("a", isVolatile: true) == "dropped")
        _ = state.beginPoll(self.get, now: 1)
        #expect(state.add("b", isVolatile: true) == "wake")
        #expect(state.add("c", isVolatile: true) == "dropped")
    }

    @Test func volatilePacketsNeedAWritableWebSocket() {
        var state = SessionState.webSocket(self.webSocket)
        #expect(state.add("a", isVolatile: true) == "wake")
        #expect(state.add("b", isVolatile: true) == "dropped")
        _ = state.write(self.webSocket)
        state.drained(self.webSocket, isWritable: false, bytesInFlight: 1)
        #expect(state.add("c", isVolatile: true) == "dropped")
    }

    // MARK: Upgrade

    @Test func upgradeMovesWhatWaits() {
        var state = SessionState.polling()
        #expect(state.beginUpgrade(self.webSocket, now: 1) == true)
        #expect(state.beginUpgrade(FakeEndpoint(), now: 1) == false)
        // Until the client has switched, everything goes by polling.
        state.add("a")
        #expect(state.confirmProbe(self.webSocket, now: 2) == nil)
        #expect(state.write(self.webSocket).frames == [])
        let result = state.completeUpgrade(self.webSocket)
        #expect(result?.hasPackets == true)
        #expect(result?.poll == nil)
        #expect(state.write(self.webSocket).frames == ["a"])
        #expect(name(state.beginPoll(self.get, now: 3)) == "mismatch")
    }

    @Test func aWaitingGetIsAnsweredWhenTheProbeIs() {
        var state = SessionState.polling()
        _ = state.beginPoll(self.get, now: 1)
        _ = state.beginUpgrade(self.webSocket, now: 1)
        #expect(state.confirmProbe(self.webSocket, now: 2) === self.get)
        #expect(state.poll == nil)
        // One that comes later, 100 ms later.
        #expect(name(state.beginPoll(self.get, now: 10)) == "wait")
        #expect(state.noopDeadline == 100_000_010)
    }

    @Test func aGetThatStillWaitsIsHandedOut() {
        var state = SessionState.polling()
        _ = state.beginUpgrade(self.webSocket, now: 1)
        _ = state.beginPoll(self.get, now: 2)
        #expect(state.completeUpgrade(self.webSocket)?.poll === self.get)
        #expect(state.poll(self.get) == nil)
    }

    @Test func anUpgradeThatFailsLeavesPolling() {
        var state = SessionState.polling()
        _ = state.beginUpgrade(self.webSocket, now: 1)
        state.endUpgrade(FakeEndpoint())
        #expect(state.upgradeDeadline != nil)
        state.endUpgrade(self.webSocket)
        #expect(state.upgradeDeadline == nil)
        #expect(state.completeUpgrade(self.webSocket) == nil)
        #expect(state.beginUpgrade(FakeEndpoint(), now: 2) == true)
    }

    @Test func aDrainMeantForAGetFindsTheWebSocket() {
        var state = SessionState.polling()
        _ = state.beginPoll(self.get, now: 1)
        _ = state.beginUpgrade(self.webSocket, now: 1)
        #expect(state.add("a") == "wake")
        _ = state.completeUpgrade(self.webSocket)
        #expect(state.beginDrain() === self.webSocket)
        #expect(state.write(self.webSocket).frames == ["a"])
    }

    // MARK: Time

    private func wheel(_ state: inout SessionState) -> UInt64? { state.earlierWake() }

    @Test func heartbeat() {
        var state = SessionState.polling()
        #expect(wheel(&state) == 1000)
        #expect(!state.tick(now: 999).sendPing)
        let due = state.tick(now: 1000)
        #expect(due.sendPing)
        #expect(due.next == 1500)
        state.pong(now: 1200)
        // The deadline moved away: nobody is woken earlier for it.
        #expect(wheel(&state) == nil)
        #expect(state.tick(now: 1500).next == 2200)
        #expect(state.tick(now: 2200).sendPing)
        #expect(state.tick(now: 2700).timedOut)
    }

    /// Pongs that nobody asked for, as many as one likes, are one deadline.
    @Test func manyPongs() {
        var state = SessionState.polling()
        #expect(wheel(&state) == 1000)
        for now in 1...10_000 as ClosedRange<UInt64> where now % 500 != 0 {
            state.pong(now: now)
            #expect(wheel(&state) == nil)
        }
        #expect(!state.tick(now: 10_000).sendPing)
        #expect(state.tick(now: 10_999).sendPing)
    }

    /// A client that is not read is pinged on and not timed out; from when it is read again it has its time.
    @Test func heartbeatWhileNothingIsRead() {
        var state = SessionState.polling()
        _ = wheel(&state)
        #expect(state.tick(now: 1000).sendPing)
        state.setHeld(true, now: 1400)
        #expect(state.tick(now: 1500).next == 1900)
        for now in [UInt64(1900), 2400, 2900] {
            let due = state.tick(now: now)
            #expect(due.sendPing)
            #expect(!due.timedOut)
            #expect(due.next == now + 500)
        }
        state.setHeld(false, now: 3000)
        #expect(!state.tick(now: 3400).timedOut)
        #expect(state.tick(now: 3500).timedOut)
    }

    /// Nobody is excused for ever: what waits may wait for days, and its client be gone.
    @Test func heartbeatWhileNothingIsReadForLong() {
        var state = SessionState.polling()
        _ = wheel(&state)
        #expect(state.tick(now: 1000).sendPing)
        state.setHeld(true, now: 1400)
        var now: UInt64 = 1500
        var due = state.tick(now: now)
        var pings = 0
        while !due.timedOut, let next = due.next, pings < 1000 {
            now = next
            due = state.tick(now: now)
            if due.sendPing { pings += 1 }
        }
        // Ten times the interval and the timeout after it was held, at the next ping that was not answered.
        #expect(due.timedOut && now == 16_400 && pings == 29)
        // The next time it is held is another matter.
        var again = SessionState.polling()
        _ = wheel(&again)
        #expect(again.tick(now: 1000).sendPing)
        for begin in stride(from: 1400, to: 1_000_000, by: 10_000) as StrideTo<UInt64> {
            again.setHeld(true, now: begin)
            for now in stride(from: begin + 500, to: begin + 9000, by: 500) { #expect(!again.tick(now: now).timedOut) }
            again.setHeld(false, now: begin + 9000)
            again.pong(now: begin + 9001)
            _ = again.tick(now: begin + 10_000)
        }
    }

    @Test func anUpgradeDoesNotStopTheHeartbeat() {
        var state = SessionState.polling()
        _ = wheel(&state)
        #expect(state.tick(now: 1000).sendPing)
        _ = state.beginUpgrade(self.webSocket, now: 1100)
        _ = state.completeUpgrade(self.webSocket)
        #expect(state.tick(now: 1500).timedOut)
    }

    @Test func upgradeTimeout() {
        var state = SessionState.polling()
        _ = wheel(&state)
        _ = state.beginUpgrade(self.webSocket, now: 100)
        #expect(wheel(&state) == 300)
        #expect(state.tick(now: 299).upgradeTimedOut == nil)
        let due = state.tick(now: 300)
        #expect(due.upgradeTimedOut === self.webSocket)
        #expect(due.next == 1000)
        #expect(state.completeUpgrade(self.webSocket) == nil)
    }

    @Test func handlerDeadline() {
        var state = SessionState.polling()
        _ = wheel(&state)
        state.handlerDeadline = 50
        #expect(wheel(&state) == 50)
        #expect(state.tick(now: 50).handler)
        #expect(!state.tick(now: 1000).handler)
    }

    @Test func entriesThatWereOvertakenDoNothing() {
        var state = SessionState.polling()
        _ = wheel(&state)
        state.handlerDeadline = 50
        _ = wheel(&state)
        #expect(state.tick(now: 50).next == 1000)
        #expect(state.tick(now: 60).next == nil)
    }
}

private func == (left: (frames: [String], hasMore: Bool), right: ([String], Bool)) -> Bool {
    left.frames == right.0 && left.hasMore == right.1
}
