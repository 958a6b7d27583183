import NIOCore
import Testing

@testable import EngineIO

/// How the state machine of a session ends.
struct SessionStateCloseTests {
    let get = FakeEndpoint()
    let post = FakeEndpoint()
    let webSocket = FakeEndpoint()

    private func name(_ close: SessionState.Close) -> String {
        switch close {
        case .now: "now"
        case .later(wake: nil): "later"
        case .later(wake: .some): "later, wake"
        case .already: "already"
        }
    }

    @Test func withAGetThatWaits() {
        var state = SessionState.polling()
        _ = state.beginPoll(self.get, now: 1)
        #expect(name(state.beginClose(now: 2)) == "now")
        #expect(state.end()?.poll === self.get)
    }

    @Test func withoutAGet() {
        var state = SessionState.polling()
        #expect(name(state.beginClose(now: 2)) == "later")
        #expect(state.phase == .closing)
        #expect(state.add("x") == "refused")
        #expect(name(state.beginClose(now: 3)) == "already")
        #expect("\(state.beginPoll(self.get, now: 4))" == "close")
    }

    @Test func withDataThatWaits() {
        var state = SessionState.polling()
        state.add("bye")
        #expect(name(state.beginClose(now: 2)) == "later")
        #expect("\(state.beginPoll(self.get, now: 3))" == "drain")
        #expect(state.poll(self.get) == ["bye"])
        #expect("\(state.beginPoll(self.get, now: 4))" == "close")
    }

    @Test func withDataForAGetThatWaits() {
        var state = SessionState.polling()
        _ = state.beginPoll(self.get, now: 1)
        state.add("bye")
        #expect(name(state.beginClose(now: 2)) == "later")
        #expect(state.beginDrain() === self.get)
        #expect(state.poll(self.get) == ["bye"])
        #expect("\(state.beginPoll(self.get, now: 4))" == "close")
    }

    @Test func ofAWebSocket() {
        var state = SessionState.webSocket(self.webSocket)
        #expect(name(state.beginClose(now: 2)) == "now")
    }

    @Test func ofAWebSocketWithData() {
        var state = SessionState.webSocket(self.webSocket)
        state.add("bye")
        #expect(name(state.beginClose(now: 2)) == "later")
        #expect(state.write(self.webSocket).frames == ["bye"])
        #expect(state.outbox.isEmpty)
    }

    @Test func ofAWebSocketThatTakesNothing() {
        var state = SessionState.webSocket(self.webSocket)
        state.drained(self.webSocket, isWritable: false, bytesInFlight: 10)
        #expect(name(state.beginClose(now: 2)) == "later")
        #expect(state.tick(now: 302).closeTimedOut)
    }

    @Test func upgradeIsCompletedWhileClosing() {
        var state = SessionState.polling()
        _ = state.beginUpgrade(self.webSocket, now: 1)
        state.add("bye")
        _ = state.beginClose(now: 2)
        #expect(state.completeUpgrade(self.webSocket)?.hasPackets == true)
        #expect(state.write(self.webSocket).frames == ["bye"])
        #expect(state.beginUpgrade(FakeEndpoint(), now: 3) == false)
    }

    @Test func theDeadlineOfClosing() {
        var state = SessionState.polling()
        _ = state.earlierWake()
        _ = state.beginClose(now: 2)
        #expect(state.earlierWake() == 302)
        #expect(!state.tick(now: 301).closeTimedOut)
        #expect(state.tick(now: 302).closeTimedOut)
    }

    @Test func endingHandsEverythingOutOnce() {
        var state = SessionState.polling()
        _ = state.beginPoll(self.get, now: 1)
        _ = state.beginPost(self.post)
        _ = state.beginUpgrade(self.webSocket, now: 1)
        state.add("a")
        state.add("b")
        let ended = state.end()
        #expect(ended?.poll === self.get)
        #expect(ended?.post === self.post)
        #expect(ended?.probing === self.webSocket)
        #expect(ended?.websocket == nil)
        #expect(ended?.discarded.count == 2)
        #expect(state.end() == nil)
        #expect(state.add("x") == "refused")
        #expect("\(state.beginPoll(self.get, now: 2))" == "unknown")
        #expect("\(state.beginPost(self.post))" == "unknown")
        #expect(state.completeUpgrade(self.webSocket) == nil)
        #expect(state.earlierWake() == nil)
        #expect(state.tick(now: 1 << 40).next == nil)
    }

    @Test func aPostThatHasArrivedIsAnsweredAllTheSame() {
        var state = SessionState.polling()
        _ = state.beginPost(self.post)
        state.receivedPost(self.post)
        #expect(state.end()?.post == nil)
    }

    // MARK: The outbox

    @Test func outboxIsAQueue() {
        var outbox = Outbox()
        var expected: [Int] = []
        var next = 0
        // Fills and empties it in waves, across its ways to store.
        for wave in [1, 0, 3, 2, 700, 300, 5, 405, 0] {
            while outbox.count < wave {
                outbox.append(OutboundPacket(frames: ByteBuffer(integer: next)))
                expected.append(next)
                next += 1
            }
            while outbox.count > wave {
                #expect(outbox.popFirst()?.frames == ByteBuffer(integer: expected.removeFirst()))
            }
            #expect(outbox.byteCount == 8 * expected.count)
            #expect(outbox.isEmpty == expected.isEmpty)
        }
        #expect(outbox.removeAll().map(\.frames) == expected.map { ByteBuffer(integer: $0) })
        #expect(outbox.byteCount == 0)
        #expect(outbox.popFirst() == nil)
    }
}
