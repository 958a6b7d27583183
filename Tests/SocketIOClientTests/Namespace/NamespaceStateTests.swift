import EngineIOClient
import NIOCore
import SocketIOCore
import Testing

@testable import SocketIOClient

struct NamespaceStateTests {
    // MARK: Joining

    @Test func joins() throws {
        var state = Subject()
        #expect(state.words { $0.activate(isOpen: false) } == [])
        #expect(state.words { $0.opened() } == ["authenticate 1"])
        #expect(state.words { $0.authenticated(1, .success(nil)) } == ["send 0"])
        #expect(try state.receive("0{\"sid\":\"abc\"}") == ["connected"])
        #expect(state.value.id == "abc")
        #expect(!state.value.recovered)
        // What the connection says twice changes nothing.
        #expect(try state.receive("0{\"sid\":\"other\"}") == [])
        #expect(state.value.id == "abc")
    }

    @Test func authIsAskedForOncePerConnection() {
        var state = Subject()
        _ = state.words { $0.activate(isOpen: true) }
        #expect(state.words { $0.closed(.transportClose, nil, willReconnect: true) } == ["failed disconnected"])
        #expect(state.words { $0.opened() } == ["authenticate 2"])
        // The answer to the first question comes late.
        #expect(state.words { $0.authenticated(1, .success(["token": "old"])) } == [])
        #expect(state.words { $0.authenticated(2, .success(["token": "new"])) } == [#"send 0{"token":"new"}"#])
    }

    @Test func authThatFails() throws {
        var state = Subject()
        _ = state.words { $0.activate(isOpen: true) }
        #expect(state.words { $0.authenticated(1, .failure(TestError())) } == ["refused auth_failed"])
        #expect(!state.value.isActive)
        _ = state.words { $0.activate(isOpen: true) }
        #expect(state.words { $0.authenticated(2, .success("text")) } == ["refused auth_failed"])
        // A reconnection goes on trying.
        _ = state.words { $0.activate(isOpen: true) }
        _ = state.words { $0.authenticated(3, .success(nil)) }
        _ = try state.receive(#"0{"sid":"a"}"#)
        _ = state.words { $0.closed(.transportClose, nil, willReconnect: true) }
        _ = state.words { $0.opened() }
        #expect(
            state.words { $0.authenticated(4, .failure(TestError())) } == ["failed auth_failed", "authenticate later"])
        #expect(state.words { $0.opened() } == ["authenticate 5"])
    }

    @Test func refused() throws {
        var state = Subject()
        state.join(answering: nil)
        #expect(try state.receive(#"4{"message":"no","data":{"code":1}}"#) == ["refused refused: no"])
        #expect(!state.value.isActive)
        state.join(answering: nil)
        #expect(try state.receive(#"4"no""#) == ["refused refused: no"])
        // A server of protocol 4 says nothing of itself.
        state.join(answering: nil)
        #expect(try state.receive("0") == ["refused unsupported_protocol"])
        state.join(answering: nil)
        #expect(try state.receive(#"0{"sid":1}"#) == ["refused unsupported_protocol"])
        state.join(answering: nil)
        #expect(try state.receive("1") == ["refused disconnected"])
    }

    @Test func leavingBeforeTheAnswer() throws {
        var state = Subject()
        state.join(answering: nil)
        #expect(state.words { $0.leave() } == [])
        #expect(try state.receive(#"0{"sid":"a"}"#) == ["send 1"])
        // With the connection the question is gone.
        state.join(answering: nil)
        _ = state.words { $0.leave() }
        _ = state.words { $0.closed(.ioClientDisconnect, nil, willReconnect: false) }
        #expect(state.words { $0.activate(isOpen: true) }.first?.hasPrefix("authenticate") == true)
    }

    /// Who comes back before the answer may be somebody else: that answer is not for them, nor is what comes before it.
    @Test func comingBackBeforeTheAnswer() throws {
        for (answer, farewell) in [(#"0{"sid":"old"}"#, ["send 1"]), (#"4{"message":"no"}"#, []), ("1", [])] {
            var state = Subject()
            state.auth = ["user": "old"]
            state.join(answering: nil)
            _ = state.words { $0.leave() }
            _ = state.emit("new")
            // A second CONNECT is against the protocol.
            #expect(state.words { $0.activate(isOpen: true) } == [])
            #expect(try state.receive(#"2["old"]"#) == [])
            #expect(try state.receive(answer) == farewell + ["authenticate 2"])
            #expect(state.value.id == nil)
            #expect(
                state.words { $0.authenticated(2, .success(["user": "new"])) } == [#"send 0{"user":"new"}"#])
            #expect(try state.receive(#"0{"sid":"new"}"#) == [#"send 2["new"]"#, "connected"])
            #expect(state.value.id == "new")
        }
    }

    @Test func comingBackBeforeTheAnswerInVain() throws {
        var state = Subject()
        state.join(answering: nil)
        _ = state.words { $0.leave() }
        _ = state.words { $0.activate(isOpen: true) }
        // Gone once more.
        #expect(state.words { $0.leave() } == [])
        #expect(try state.receive(#"0{"sid":"old"}"#) == ["send 1"])
        // Or the connection is.
        state.join(answering: nil)
        _ = state.words { $0.leave() }
        _ = state.words { $0.activate(isOpen: true) }
        #expect(state.words { $0.closed(.transportClose, nil, willReconnect: true) } == ["failed disconnected"])
        #expect(state.words { $0.opened() } == ["authenticate 3"])
    }

    @Test func authThatDoesNotFit() {
        var state = Subject()
        state.value.maxMessageBytes = 20
        state.auth = ["token": .string(String(repeating: "x", count: 20))]
        _ = state.words { $0.activate(isOpen: true) }
        let auth = state.auth
        #expect(state.words { $0.authenticated(1, .success(auth)) } == ["refused auth_failed"])
    }

    // MARK: Events

    @Test func eventsBeforeTheAnswerAreKept() throws {
        var state = Subject()
        state.join(answering: nil)
        #expect(try state.receive(#"2["a",1]"#) == [])
        #expect(try state.receive(#"2["b"]"#) == [])
        _ = state.emit("out")
        #expect(
            try state.receive(#"0{"sid":"x"}"#) == ["deliver a", "deliver b", #"send 2["out"]"#, "connected"])
        #expect(try state.receive(#"2["c"]"#) == ["deliver c"])
        _ = state.words { $0.leave() }
        #expect(try state.receive(#"2["d"]"#) == [])
    }

    @Test func eventsBeforeTheAnswerAreBounded() throws {
        // What an event takes besides its bytes counts too.
        var state = Subject { $0.maxEarlyBytes = 1000 }
        state.join(answering: nil)
        for _ in 0..<3 { #expect(try state.receive(#"2["0123456789"]"#) == []) }
        #expect(try state.receive(#"2["0123456789"]"#) == ["violation limit_exceeded"])
    }

    @Test func eventsBeforeTheAnswerDoNotKeepTheReadThatTheyCameIn() throws {
        var state = Subject()
        state.join(answering: nil)
        let packet = try smallPart(#"2["a",1]"#)
        #expect((packet.payload?.storageCapacity ?? 0) > 1000)
        _ = state.words { $0.receive(packet) }
        let kept = try #require(state.value.early.first?.payload)
        #expect(kept.storageCapacity < 1000)
        #expect(String(buffer: kept) == #"["a",1]"#)
    }

    @Test func eventsWaitForTheConnection() throws {
        var state = Subject()
        #expect(state.emit("one") == [])
        #expect(state.emit("two") == [])
        #expect(state.emit("gone", isVolatile: true) == [])
        #expect(state.join() == [#"send 2["one"]"#, #"send 2["two"]"#, "connected"])
        #expect(state.emit("three") == [#"send 2["three"]"#])
        #expect(state.emit("four", isVolatile: true) == [#"send 2["four"]"#])
        #expect(state.emit("gone", isVolatile: true, isWritable: false) == [])
        _ = state.words { $0.closed(.transportClose, nil, willReconnect: true) }
        #expect(state.emit("five") == [])
        #expect(state.rejoin() == [#"send 2["five"]"#, "connected"])
    }

    @Test func whatIsTooMuchIsDropped() {
        var state = Subject { $0.buffer.maxEvents = 1 }
        #expect(state.emit("one") == [])
        #expect(state.emit("two") == ["report limit_exceeded"])
        #expect(state.emit("three", ack: 1) == ["stop 1", "fail limit_exceeded"])
        #expect(state.join() == [#"send 2["one"]"#, "connected"])
    }

    @Test func whatTheServerDoesNotTakeIsNotSent() {
        var state = Subject()
        state.value.maxMessageBytes = 30
        _ = state.join()
        #expect(state.emit(String(repeating: "x", count: 30)) == ["report payload too large"])
        #expect(state.emit(String(repeating: "x", count: 30), ack: 1) == ["stop 1", "fail payload too large"])
        #expect(state.emit("0123456789012345678901") == [#"send 2["0123456789012345678901"]"#])
    }

    @Test func base64TakesMoreRoom() throws {
        let packet = try PacketEncoder.event("a", values: [.binary(ByteBuffer(repeating: 1, count: 60))])
        #expect(packet.fits(maxMessageBytes: 60))
        #expect(!packet.fits(maxMessageBytes: 59))
        #expect(packet.fits(maxMessageBytes: 81, asBase64: true))
        #expect(!packet.fits(maxMessageBytes: 80, asBase64: true))
    }

    // MARK: Acknowledgements

    @Test func acknowledged() throws {
        var state = Subject()
        _ = state.join()
        #expect(state.emit("q", ack: 7, timeout: .seconds(1)) == ["timer 7 1.0 seconds", #"send 27["q"]"#])
        #expect(try state.receive("38[]") == [])
        #expect(try state.receive("37[1]") == ["complete", "stop 7"])
        #expect(try state.receive("37[1]") == [])
        #expect(try state.receive("3[1]") == [])
        #expect(state.value.acks.isEmpty)
    }

    @Test func notInTime() throws {
        var state = Subject()
        // Counted from the call, connected or not; then it is not sent any more.
        #expect(state.emit("q", ack: 1, timeout: .seconds(1)) == ["timer 1 1.0 seconds"])
        #expect(state.words { $0.timedOut(1) } == ["fail ack_timeout"])
        #expect(state.join() == ["connected"])
        _ = state.emit("q", ack: 2, timeout: .seconds(1))
        #expect(state.words { $0.timedOut(2) } == ["fail ack_timeout"])
        #expect(state.words { $0.timedOut(2) } == [])
        #expect(try state.receive("32[1]") == [])
        #expect(state.value.acks.isEmpty)
    }

    @Test func cancelled() {
        var state = Subject()
        _ = state.emit("q", ack: 1)
        #expect(state.words { $0.cancelled(1, CancellationError()) } == ["fail CancellationError()", "stop 1"])
        #expect(state.words { $0.cancelled(1, CancellationError()) } == [])
        #expect(state.join() == ["connected"])
    }

    @Test func lostWithTheConnection() {
        var state = Subject()
        _ = state.join()
        _ = state.emit("sent", ack: 1)
        #expect(
            state.words { $0.closed(.transportError, nil, willReconnect: true) } == [
                "disconnected transport error", "fail disconnected", "stop 1",
            ])
        // What was not sent yet is not lost.
        _ = state.emit("waits", ack: 2)
        #expect(state.rejoin() == [#"send 22["waits"]"#, "connected"])
        #expect(
            state.words { $0.leave() } == [
                "send 1", "disconnected io client disconnect", "fail disconnected", "stop 2",
            ])
    }

    @Test func whoWaitsIsToldWhenNothingIsTriedAnyMore() {
        var state = Subject()
        _ = state.words { $0.activate(isOpen: false) }
        _ = state.emit("q", ack: 1)
        _ = state.emit("kept")
        #expect(state.words { $0.gaveUp(TestError()) } == ["gave up TestError()", "stop 1", "fail disconnected"])
        #expect(state.words { $0.gaveUp(TestError()) } == [])
        #expect(state.join() == [#"send 2["kept"]"#, "connected"])
        #expect(state.words { $0.release() } == ["send 1", "disconnected io client disconnect"])
    }

    @Test func answersGoToTheConnectionThatAsked() throws {
        var state = Subject()
        _ = state.join()
        let session = state.value.session
        let answer = try PacketEncoder.ack(id: 3, 1)
        #expect(state.words { $0.sendAck(answer, session: session) } == ["send 33[1]"])
        _ = state.words { $0.closed(.transportClose, nil, willReconnect: true) }
        #expect(state.words { $0.sendAck(answer, session: session) } == [])
        _ = state.rejoin()
        #expect(state.words { $0.sendAck(answer, session: session) } == [])
    }

    @Test func disconnectedByTheServer() throws {
        var state = Subject()
        _ = state.join()
        _ = state.emit("q", ack: 1)
        #expect(try state.receive("1") == ["disconnected io server disconnect", "fail disconnected", "stop 1"])
        #expect(!state.value.isActive)
        #expect(try state.receive("1") == [])
        #expect(state.words { $0.opened() } == [])
    }

    @Test func whoAsksWhenNothingIsTriedIsToldAtOnce() throws {
        var state = Subject()
        // Before the first connection: that may be about to be asked for.
        #expect(state.emit("first", ack: 0) == [])
        #expect(state.join() == [#"send 20["first"]"#, "connected"])
        _ = state.words { $0.leave() }
        #expect(state.emit("q", ack: 1, timeout: .seconds(1)) == ["fail disconnected"])
        #expect(state.emit("kept") == [])
        #expect(state.join() == [#"send 2["kept"]"#, "connected"])
        _ = try state.receive("1")
        #expect(state.emit("q", ack: 2) == ["fail disconnected"])
        state.join(answering: nil)
        #expect(state.emit("waits", ack: 3) == [])
        #expect(try state.receive(#"4{"message":"no"}"#) == ["refused refused: no", "stop 3", "fail disconnected"])
        #expect(state.emit("q", ack: 4) == ["fail disconnected"])
        #expect(state.value.acks.isEmpty)
        #expect(state.join() == ["connected"])
    }
}

struct NamespaceStateRetryTests {
    private func subject(retries: Int = 2) -> Subject {
        Subject {
            $0.retries = retries
            $0.ackTimeout = .seconds(1)
        }
    }

    @Test func oneAtATime() throws {
        var state = self.subject()
        #expect(state.emit("a", id: 0) == [])
        #expect(state.emit("b", id: 1) == [])
        #expect(state.join() == [#"send 20["a"]"#, "timer 0 1.0 seconds", "connected"])
        #expect(state.emit("c", ack: 2) == [])
        #expect(try state.receive("31[]") == [])
        #expect(try state.receive("30[]") == ["stop 0", #"send 21["b"]"#, "timer 1 1.0 seconds"])
        #expect(try state.receive("31[]") == ["stop 1", #"send 22["c"]"#, "timer 2 1.0 seconds"])
        #expect(try state.receive("32[1]") == ["complete", "stop 2"])
        #expect(state.value.queue.count == 0)
    }

    @Test func againUntilItIsAnswered() throws {
        var state = self.subject()
        _ = state.join()
        #expect(state.emit("a", id: 0) == [#"send 20["a"]"#, "timer 0 1.0 seconds"])
        _ = state.emit("b", id: 1)
        #expect(state.words { $0.timedOut(0) } == [#"send 20["a"]"#, "timer 0 1.0 seconds"])
        // Over a new connection too.
        #expect(
            state.words { $0.closed(.transportClose, nil, willReconnect: true) } == [
                "disconnected transport close", "stop 0",
            ])
        #expect(state.rejoin() == [#"send 20["a"]"#, "timer 0 1.0 seconds", "connected"])
        #expect(try state.receive("30[]").contains(#"send 21["b"]"#))
    }

    @Test func givenUpAfterTheTries() {
        var state = self.subject(retries: 1)
        _ = state.join()
        _ = state.emit("a", id: 0)
        _ = state.emit("b", ack: 1)
        #expect(state.words { $0.timedOut(0) } == [#"send 20["a"]"#, "timer 0 1.0 seconds"])
        #expect(
            state.words { $0.timedOut(0) } == ["report ack_timeout", #"send 21["b"]"#, "timer 1 1.0 seconds"])
        _ = state.words { $0.timedOut(1) }
        #expect(state.words { $0.timedOut(1) } == ["stop 1", "fail ack_timeout"])
        #expect(state.value.queue.count == 0)
        #expect(state.value.acks.isEmpty)
    }

    @Test func volatileEventsGoTheirOwnWay() {
        var state = self.subject()
        _ = state.join()
        _ = state.emit("a", id: 0)
        #expect(state.emit("now", isVolatile: true) == [#"send 2["now"]"#])
        #expect(state.emit("gone", isVolatile: true, isWritable: false) == [])
    }

    @Test func cancelledOnItsWay() {
        var state = self.subject()
        _ = state.join()
        _ = state.emit("a", ack: 0)
        _ = state.emit("b", id: 1)
        #expect(
            state.words { $0.cancelled(0, CancellationError()) } == [
                "fail CancellationError()", "stop 0", #"send 21["b"]"#, "timer 1 1.0 seconds",
            ])
    }

    @Test func tooLargeIsNotTried() {
        var state = self.subject()
        state.value.maxMessageBytes = 20
        _ = state.join()
        #expect(state.emit(String(repeating: "x", count: 20), id: 0) == ["report payload too large"])
        #expect(state.emit("b", id: 1) == [#"send 21["b"]"#, "timer 1 1.0 seconds"])
    }

    @Test func leavingKeepsWhatNobodyWaitsFor() {
        var state = self.subject()
        _ = state.join()
        _ = state.emit("a", id: 0)
        _ = state.emit("b", ack: 1)
        #expect(
            state.words { $0.leave() } == [
                "send 1", "disconnected io client disconnect", "stop 0", "stop 1", "fail disconnected",
            ])
        #expect(state.join() == [#"send 20["a"]"#, "timer 0 1.0 seconds", "connected"])
    }

    /// A server that acknowledges what was not sent yet.
    @Test func whoWaitsIsToldOnce() throws {
        var state = self.subject(retries: 3)
        _ = state.join()
        _ = state.emit("a", ack: 0)
        _ = state.emit("b", ack: 1)
        #expect(try state.receive("31[]") == [])
        #expect(
            state.words { $0.leave() } == [
                "send 1", "disconnected io client disconnect", "stop 0", "stop 0", "fail disconnected", "stop 1",
                "fail disconnected",
            ])
        #expect(try state.receive("30[]") == [])
    }

    @Test func anAnswerBeforeTheQuestionIsIgnored() throws {
        var state = self.subject()
        _ = state.join()
        _ = state.emit("a", ack: 0)
        _ = state.emit("b", ack: 1)
        #expect(try state.receive("31[]") == [])
        #expect(
            try state.receive("30[1]") == ["complete", "stop 0", #"send 21["b"]"#, "timer 1 1.0 seconds"])
        #expect(try state.receive("31[1]") == ["complete", "stop 1"])
        #expect(state.value.queue.count == 0)
        #expect(state.value.acks.isEmpty)
    }

    @Test func disconnectedByTheServer() throws {
        var state = self.subject()
        _ = state.join()
        _ = state.emit("a", ack: 0)
        _ = state.emit("b", ack: 1)
        _ = state.emit("c", id: 2)
        #expect(
            try state.receive("1") == [
                "disconnected io server disconnect", "stop 0", "stop 0", "fail disconnected", "stop 1",
                "fail disconnected",
            ])
        #expect(state.emit("q", ack: 3) == ["fail disconnected"])
        #expect(state.value.acks.isEmpty)
        #expect(state.join() == [#"send 22["c"]"#, "timer 2 1.0 seconds", "connected"])
    }

    /// The loss of a connection is a try too; what is given up makes room for the next.
    @Test func lostConnectionsCount() {
        var state = self.subject(retries: 1)
        _ = state.join()
        _ = state.emit("a", id: 0)
        _ = state.emit("b", id: 1)
        _ = state.words { $0.closed(.transportClose, nil, willReconnect: true) }
        #expect(state.rejoin() == [#"send 20["a"]"#, "timer 0 1.0 seconds", "connected"])
        #expect(
            state.words { $0.closed(.transportClose, nil, willReconnect: true) } == [
                "disconnected transport close", "stop 0", "report disconnected",
            ])
        #expect(state.rejoin() == [#"send 21["b"]"#, "timer 1 1.0 seconds", "connected"])
    }

    @Test func retriesWithoutEnd() {
        var state = self.subject(retries: .max)
        _ = state.join()
        _ = state.emit("a", id: 0)
        for _ in 0..<100 {
            _ = state.words { $0.closed(.transportClose, nil, willReconnect: true) }
            #expect(state.rejoin() == [#"send 20["a"]"#, "timer 0 1.0 seconds", "connected"])
        }
    }
}

struct NamespaceStateRecoveryTests {
    @Test func offersTheLastOffset() throws {
        var state = Subject()
        _ = state.join(answering: #"0{"sid":"s1","pid":"p1"}"#)
        _ = try state.receive(#"2["a",1,"o1"]"#)
        // Neither of these has an offset.
        _ = try state.receive(#"27["q","text"]"#)
        _ = try state.receive(#"2["n",5]"#)
        _ = try state.receive(#"2["bare"]"#)
        #expect(state.reconnect() == [#"send 0{"pid":"p1","offset":"o1"}"#])
        #expect(try state.receive(#"2["b",2,"o2"]"#) == [])
        #expect(try state.receive(#"0{"sid":"s1","pid":"p1"}"#) == ["deliver b", "connected"])
        #expect(state.value.recovered)
        // And once more.
        #expect(state.reconnect() == [#"send 0{"pid":"p1","offset":"o2"}"#])
        #expect(!state.value.recovered)
        #expect(try state.receive(#"0{"sid":"s1","pid":"p1"}"#) == ["connected"])
        #expect(state.value.recovered)
    }

    @Test func aNewSessionBeginsWithoutAnOffset() throws {
        var state = Subject()
        _ = state.join(answering: #"0{"sid":"s1","pid":"p1"}"#)
        _ = try state.receive(#"2["a","o1"]"#)
        #expect(state.reconnect() == [#"send 0{"pid":"p1","offset":"o1"}"#])
        #expect(try state.receive(#"0{"sid":"s2","pid":"p2"}"#) == ["connected"])
        #expect(!state.value.recovered)
        #expect(state.reconnect() == [#"send 0{"pid":"p2"}"#])
        // A server that can't recover sessions.
        #expect(try state.receive(#"0{"sid":"s3"}"#) == ["connected"])
        _ = try state.receive(#"2["a","text"]"#)
        #expect(state.reconnect() == ["send 0"])
    }

    /// It would be sent back in CONNECT, which could become too large for the server.
    @Test func aLongStringIsNoOffset() throws {
        var state = Subject()
        _ = state.join(answering: #"0{"sid":"s1","pid":"p1"}"#)
        _ = try state.receive(#"2["a","o1"]"#)
        _ = try state.receive("2[\"a\",\"\(String(repeating: "x", count: 257))\"]")
        #expect(state.reconnect() == [#"send 0{"pid":"p1","offset":"o1"}"#])
        _ = try state.receive(#"0{"sid":"s1","pid":"p1"}"#)
        let longest = String(repeating: "x", count: 256)
        _ = try state.receive("2[\"a\",\"\(longest)\"]")
        #expect(state.reconnect() == ["send 0{\"pid\":\"p1\",\"offset\":\"\(longest)\"}"])
    }

    @Test func whatDoesNotFitIsNotRecovered() throws {
        var state = Subject()
        let pid = String(repeating: "p", count: 100)
        _ = state.join(answering: "0{\"sid\":\"s1\",\"pid\":\"\(pid)\"}")
        state.value.maxMessageBytes = 100
        state.auth = ["token": "t"]
        #expect(state.reconnect() == [#"send 0{"token":"t"}"#])
        #expect(try state.receive("0{\"sid\":\"s1\",\"pid\":\"\(pid)\"}") == ["connected"])
        #expect(!state.value.recovered)
    }

    @Test func membersOfAuthWin() {
        var state = Subject()
        state.auth = ["token": "t", "pid": "own"]
        _ = state.join(answering: #"0{"sid":"s1","pid":"p1"}"#)
        #expect(state.reconnect() == [#"send 0{"pid":"own","token":"t"}"#])
    }
}

/// A packet that is a small part of what was read at once.
func smallPart(_ text: String) throws -> Packet {
    let read = ByteBuffer(string: text + String(repeating: " ", count: 4096))
    let message = try #require(read.getSlice(at: 0, length: text.utf8.count))
    var decoder = PacketDecoder()
    return try #require(try decoder.decode(text: message))
}

/// A state and the actions it asks for, in words.
private struct Subject {
    var value: NamespaceState
    var auth: SocketIOValue?
    private var authNumber = 0

    init(_ change: (inout NamespaceState.Options) -> Void = { _ in }) {
        var options = NamespaceState.Options(namespace: "/", buffer: .init(), maxEarlyBytes: 1000)
        change(&options)
        self.value = NamespaceState(options)
    }

    mutating func words(_ body: (inout NamespaceState) -> [NamespaceState.Action]) -> [String] {
        body(&self.value).map { action in
            switch action {
            case .authenticate(let number):
                self.authNumber = number
                return "authenticate \(number)"
            case .authenticateLater: return "authenticate later"
            case .transmit(let packet, _): return "send \(packet.texts)"
            case .deliver(let packet): return "deliver \(packet.eventName)"
            case .complete(let complete, let result):
                complete(result)
                if case .failure(let error) = result { return "fail \(code(of: error))" }
                return "complete"
            case .startTimer(let id, let timeout): return "timer \(id) \(timeout)"
            case .stopTimer(let id): return "stop \(id)"
            case .connected: return "connected"
            case .disconnected(let disconnection): return "disconnected \(disconnection.reason)"
            case .refused(let error): return "refused \(code(of: error))"
            case .gaveUp(let error): return "gave up \(code(of: error))"
            case .failed(let error): return "failed \(code(of: error))"
            case .report(let error): return "report \(code(of: error))"
            case .violation(let error): return "violation \(error.code)"
            }
        }
    }

    mutating func receive(_ text: String) throws -> [String] {
        var decoder = PacketDecoder()
        let packet = try #require(try decoder.decode(text: ByteBuffer(string: text)))
        return self.words { $0.receive(packet) }
    }

    /// Connects, and answers CONNECT unless it is not to be answered.
    @discardableResult
    mutating func join(answering answer: String? = #"0{"sid":"x"}"#) -> [String] {
        _ = self.words { $0.activate(isOpen: true) }
        let (number, auth) = (self.authNumber, self.auth)
        _ = self.words { $0.authenticated(number, .success(auth)) }
        return answer.flatMap { try? self.receive($0) } ?? []
    }

    /// Loses the connection and gets another; what is sent to join.
    mutating func reconnect() -> [String] {
        _ = self.words { $0.closed(.transportClose, nil, willReconnect: true) }
        _ = self.words { $0.opened() }
        let (number, auth) = (self.authNumber, self.auth)
        return self.words { $0.authenticated(number, .success(auth)) }
    }

    /// Joins over a new connection after the last one was lost.
    mutating func rejoin() -> [String] {
        _ = self.words { $0.opened() }
        let number = self.authNumber
        _ = self.words { $0.authenticated(number, .success(nil)) }
        return (try? self.receive(#"0{"sid":"y"}"#)) ?? []
    }

    /// - Parameters:
    ///   - ack: an id, if somebody waits.
    ///   - id: an id, if nobody does.
    mutating func emit(
        _ event: String,
        id: Int? = nil,
        ack: Int? = nil,
        timeout: Duration? = nil,
        isVolatile: Bool = false,
        isWritable: Bool = true
    ) -> [String] {
        guard let packet = try? PacketEncoder.event(event, id: ack ?? id) else { return ["not encoded"] }
        var outgoing = Outgoing(packet: packet, ackID: ack ?? id, timeout: timeout, isVolatile: isVolatile)
        if ack != nil { outgoing.complete = { _ in } }
        return self.words {
            var actions: [NamespaceState.Action] = []
            $0.send(outgoing, isWritable: isWritable, into: &actions)
            return actions
        }
    }
}

extension EncodedPacket {
    /// Its messages as text.
    fileprivate var texts: String {
        var texts: [String] = []
        self.forEachMessage { isBinary, message in
            texts.append(isBinary ? "b:" + hex(message) : String(buffer: message))
        }
        return texts.joined(separator: " ")
    }
}
