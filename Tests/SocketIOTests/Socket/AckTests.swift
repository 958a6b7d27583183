import NIOCore
import SocketIO
import TestSupport
import Testing

/// Acknowledgements of the server: what handlers return.
@Suite struct AckTests {
    @Test(arguments: bothTransports) func whatAHandlerReturns(_ transport: EIOOptions.Transport) async throws {
        try await withServer { io, port in
            io.onConnection { socket in
                socket.on("value") { (a: Int, b: Int) in a + b }
                socket.on("async value") { (a: Int) async in
                    await Task.yield()
                    return [a, a]
                }
                socket.on("several") { Ack("ok", 200, ["x": ByteBuffer(bytes: [1, 2])]) }
                socket.on("async several") { () async throws in Ack(1, 2) }
                socket.on("nothing") { (_: Int?) in }
                socket.on("async nothing") { (_: Int?) async in await Task.yield() }
                socket.on("null") { () -> Int? in nil }
                socket.on("binary") { (data: ByteBuffer) in data }
            }
            let client = try await join(port, "/", transport)
            #expect(try await client.emitWithAck("value", "1", "2").json == "[3]")
            #expect(try await client.emitWithAck("async value", "1").json == "[[1,1]]")
            let several = try await client.emitWithAck("several")
            #expect(several.string(0) == "ok" && several.int(1) == 200)
            #expect(several.attachment(several.object(2)?["x"]) == [1, 2])
            #expect(try await client.emitWithAck("async several").json == "[1,2]")
            #expect(try await client.emitWithAck("nothing").json == "[]")
            #expect(try await client.emitWithAck("async nothing").json == "[]")
            #expect(try await client.emitWithAck("null").json == "[null]")
            let binary = try await client.emitWithAck("binary", SIOClient.placeholder(0), binary: [[9]])
            #expect(binary.bytes(0) == [9])
        }
    }

    @Test func aReplyMayComeLater() async throws {
        let replies = Awaited<[AckReply]>([])
        try await withServer { io, port in
            io.onConnection { socket in
                socket.on("late") { (_: Int, reply: AckReply) in replies.update { $0.append(reply) } }
            }
            let client = try await join(port)
            try client.emit("late", "1")
            async let answer = client.emitWithAck("late", "2")
            let both = try await replies.wait("both events") { $0.count == 2 ? $0 : nil }
            #expect(both.map(\.isExpected) == [false, true])
            both[0]("nobody waits")
            both[1]("first", 1)
            both[1]("second")
            both[1](arguments: ["third"])
            #expect(try await answer.json == "[\"first\",1]")
            try await client.sync()
            #expect(client.protocolError == nil)
        }
    }

    /// A handler that throws, or whose arguments do not fit, answers nothing: the error is for the hook.
    @Test func errorsAnswerNothing() async throws {
        let errors = ErrorRecorder()
        try await withServer {
            $0.onError = errors.hook
        } _: { io, port in
            io.onConnection { socket in
                socket.on("throws") { (_: Int) -> Int in throw TestError("sync") }
                socket.on("async throws") { (_: Int) async throws -> Int in
                    await Task.yield()
                    throw TestError("async")
                }
            }
            let client = try await join(port)
            // By hand: these acknowledgements must not come.
            try client.sendRaw("27[\"throws\",1]")
            try client.sendRaw("28[\"throws\",\"text\"]")
            try client.sendRaw("29[\"throws\"]")
            try client.sendRaw("210[\"async throws\",1]")
            try await errors.wait(count: 4)
            #expect(errors.all.compactMap { $0 as? TestError } == [TestError("sync"), TestError("async")])
            #expect(Set(errors.codes) == [.typeMismatch, .missingArgument])
            try await client.sync()
            #expect(client.protocolError == nil)
        }
    }

    /// With several listeners, the one that has a value answers, wherever it stands.
    @Test func oneOfSeveralListenersAnswers() async throws {
        try await withServer { io, port in
            io.onConnection { socket in
                socket.on("a") {}
                socket.on("a") { 1 }
                socket.on("b") { 2 }
                socket.on("b") {}
                socket.on("c") {}
                socket.on("c") {}
                socket.on("d") { 3 }
                socket.on("d") { 4 }
            }
            let client = try await join(port)
            #expect(try await client.emitWithAck("a").json == "[1]")
            #expect(try await client.emitWithAck("b").json == "[2]")
            #expect(try await client.emitWithAck("c").json == "[]")
            #expect(try await client.emitWithAck("d").json == "[3]")
        }
    }

    /// After the disconnection an answer goes nowhere and harms nobody.
    @Test func answerAfterTheEnd() async throws {
        let replies = Awaited<AckReply?>(nil)
        try await withServer { io, port in
            io.onConnection { socket in
                socket.on("late") { (reply: AckReply) in replies.update { $0 = reply } }
            }
            let client = try await join(port)
            try client.sendRaw("20[\"late\"]")
            let reply = try await replies.wait("the event") { $0 }
            try client.disconnect()
            try await eventually("it has left") { io.main.sockets.isEmpty }
            reply("too late")
            try await client.connect()
            try await client.sync()
            #expect(client.protocolError == nil)
        }
    }
}
