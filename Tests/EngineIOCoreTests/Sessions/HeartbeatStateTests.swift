import Testing

@testable import EngineIOCore

@Suite struct HeartbeatStateTests {
    var heartbeat = HeartbeatState(pingInterval: 25, pingTimeout: 20, now: 1000)

    @Test mutating func pingsAfterTheInterval() {
        #expect(self.heartbeat.nextDeadline == 1025)
        #expect(self.heartbeat.tick(now: 1024) == .none)
        #expect(self.heartbeat.tick(now: 1025) == .sendPing)
        #expect(self.heartbeat.isAwaitingPong)
        #expect(self.heartbeat.nextDeadline == 1045)
        #expect(self.heartbeat.tick(now: 1026) == .none)
    }

    @Test mutating func pongStartsTheNextInterval() {
        _ = self.heartbeat.tick(now: 1025)
        self.heartbeat.pongReceived(now: 1030)
        #expect(!self.heartbeat.isAwaitingPong)
        #expect(self.heartbeat.nextDeadline == 1055)
        #expect(self.heartbeat.tick(now: 1054) == .none)
        #expect(self.heartbeat.tick(now: 1055) == .sendPing)
    }

    @Test mutating func noPongInTime() {
        _ = self.heartbeat.tick(now: 1025)
        #expect(self.heartbeat.tick(now: 1044) == .none)
        #expect(self.heartbeat.tick(now: 1045) == .timedOut)
        #expect(self.heartbeat.tick(now: 1046) == .timedOut)
    }

    @Test mutating func anExcuseBeginsTheTimeoutAnew() {
        // Without a ping there is nothing to be excused.
        self.heartbeat.excuse(now: 1020)
        #expect(self.heartbeat.nextDeadline == 1025)
        _ = self.heartbeat.tick(now: 1025)
        self.heartbeat.excuse(now: 1040)
        #expect(self.heartbeat.tick(now: 1059) == .none)
        self.heartbeat.excuse(now: 1030)
        #expect(self.heartbeat.nextDeadline == 1060)
        #expect(self.heartbeat.tick(now: 1060) == .timedOut)
    }

    /// The timeout counts from the ping, not from when it should have been sent.
    @Test mutating func lateTick() {
        #expect(self.heartbeat.tick(now: 5000) == .sendPing)
        #expect(self.heartbeat.nextDeadline == 5020)
    }

    @Test mutating func pongNobodyAskedForRestartsTheInterval() {
        self.heartbeat.pongReceived(now: 1020)
        #expect(self.heartbeat.nextDeadline == 1045)
        #expect(self.heartbeat.tick(now: 1025) == .none)
        #expect(self.heartbeat.tick(now: 1045) == .sendPing)
    }

    @Test func farFuture() {
        var heartbeat = HeartbeatState(pingInterval: .max, pingTimeout: .max, now: 10)
        #expect(heartbeat.nextDeadline == .max)
        #expect(heartbeat.tick(now: .max) == .sendPing)
        #expect(heartbeat.nextDeadline == .max)
    }

    @Test func clientsOfVersion3Ping() {
        var heartbeat = HeartbeatState(pingInterval: 25, pingTimeout: 20, now: 1000, clientPings: true)
        #expect(heartbeat.nextDeadline == 1045)
        #expect(heartbeat.tick(now: 1044) == .none)
        heartbeat.pingReceived(now: 1044)
        #expect(heartbeat.tick(now: 1045) == .none)
        #expect(heartbeat.tick(now: 1088) == .none)
        #expect(heartbeat.tick(now: 1089) == .timedOut)
        // What it sends is not read: it may have pinged.
        heartbeat.excuse(now: 1089)
        #expect(heartbeat.tick(now: 1108) == .none)
        #expect(heartbeat.tick(now: 1109) == .timedOut)
        heartbeat.pingReceived(now: .max)
        #expect(heartbeat.tick(now: .max - 1) == .none)
    }
}
