import SocketIO
import TestSupport
import Testing

/// What clients must not send: the connection is closed, the server and the others go on.
@Suite struct BadInputTests {
    /// What is wrong about it, messages before CONNECT or behind it, and the code of the error that the socket sees, if any.
    struct Wrong: Sendable, CustomTestStringConvertible {
        var name: String
        var messages: [EIOMessage]
        var code: SocketIOError.Code?
        var testDescription: String { self.name }

        init(_ name: String, _ text: String, _ code: SocketIOError.Code? = nil, binary: [[UInt8]] = []) {
            self.name = name
            self.messages = [.text(text)] + binary.map { .binary($0) }
            self.code = code
        }

        init(binary name: String, _ code: SocketIOError.Code) {
            self.name = name
            self.messages = [.binary([1])]
            self.code = code
        }
    }

    static let beforeConnect = [
        Wrong("event", "2[\"a\"]"), Wrong("event with ack", "20[\"a\"]"), Wrong("ack", "30[]"),
        Wrong("disconnect", "1"), Wrong("connect error", "4{\"message\":\"x\"}"),
        Wrong("binary event", "51-[\"a\",{\"_placeholder\":true,\"num\":0}]", binary: [[1]]),
        Wrong("nothing", ""), Wrong(binary: "an attachment of nothing", .unexpectedMessage),
        Wrong("no packet", "abc"), Wrong("bad auth", "0[1]"), Wrong("auth that is no JSON", "0{\"a\":"),
        Wrong("deep auth", "0{\"a\":" + String(repeating: "[", count: 100_000)),
    ]

    static let afterConnect =
        [
            Wrong("CONNECT again", "0"), Wrong("connect error", "4{\"message\":\"x\"}"),
            Wrong("another namespace", "2/other,[\"a\"]"), Wrong("leaving another namespace", "1/other,"),
            Wrong("ack of another namespace", "3/other,0[]"),
            Wrong("unknown type", "9", .invalidPacket), Wrong("no type", "x", .invalidPacket),
            Wrong("no payload", "2", .invalidPayload), Wrong("object", "2{\"a\":1}", .invalidPayload),
            Wrong("no name", "2[]", .invalidPayload), Wrong("null as name", "2[null]", .invalidPayload),
            Wrong("object as name", "2[{}]", .invalidPayload), Wrong("array as name", "2[[\"a\"]]", .invalidPayload),
            Wrong("true as name", "2[true]", .invalidPayload),
            Wrong("broken JSON", "2[\"a\"", .invalidPayload), Wrong("text behind JSON", "2[\"a\"]x", .invalidPayload),
            Wrong("disconnect with payload", "1{}", .invalidPayload),
            Wrong("ack without array", "30{}", .invalidPayload),
            Wrong("100,000 brackets", "2[\"a\"," + String(repeating: "[", count: 100_000), .nestingTooDeep),
            Wrong(
                "100,000 brackets, closed",
                "2[\"a\"," + String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000) + "]",
                .nestingTooDeep),
            Wrong("100,000 objects", "2[\"a\"," + String(repeating: "{\"a\":", count: 100_000), .nestingTooDeep),
            Wrong("too many arguments", "2[\"a\"" + String(repeating: ",1", count: 1001) + "]", .limitExceeded),
            Wrong("huge ack id", "299999999999999999999999999[\"a\"]", .invalidPacket),
            Wrong("huge ack id of an answer", "3" + String(repeating: "9", count: 100_000) + "[]", .invalidPacket),
            Wrong("negative ack id", "2-1[\"a\"]", .invalidPayload),
            Wrong("no count", "5[\"a\"]", .illegalAttachments), Wrong("no number", "5woooot", .illegalAttachments),
            Wrong("empty binary packet", "5", .illegalAttachments),
            Wrong("negative count", "5-1-[\"a\"]", .invalidPayload),
            Wrong("too many attachments", "511-[\"a\"]", .tooManyAttachments),
            Wrong("huge count", "599999999999999999999-[\"a\"]"),
            Wrong(
                "placeholder out of range", "51-[\"a\",{\"_placeholder\":true,\"num\":1}]", .illegalAttachments,
                binary: [[1]]),
            Wrong("negative placeholder", "51-[\"a\",{\"_placeholder\":true,\"num\":-1}]", .illegalAttachments),
            Wrong("placeholder without number", "51-[\"a\",{\"_placeholder\":true}]", .illegalAttachments),
            Wrong(
                "surplus attachment", "51-[\"a\",{\"_placeholder\":true,\"num\":0}]", .unexpectedMessage,
                binary: [[1], [2]]),
            Wrong(binary: "an attachment of nothing", .unexpectedMessage),
        ]
        + ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"].map {
            Wrong("reserved name \($0)", "2[\"\($0)\",1]", .invalidPayload)
        }

    @Test(arguments: Self.beforeConnect, bothTransports) func beforeConnecting(
        _ wrong: Wrong, _ transport: EIOOptions.Transport
    ) async throws {
        try await withServer { io, port in
            let bystander = try await join(port)
            let client = try await open(port, transport)
            try client.session.send(wrong.messages)
            try await client.session.waitForClose()
            try await bystander.sync()
            try await eventually("the connection is gone") { io.connectionCount == 1 }
            #expect(io.main.sockets.count == 1)
        }
    }

    @Test(arguments: Self.afterConnect) func afterConnecting(_ wrong: Wrong) async throws {
        let recorder = Recorder()
        let errors = ErrorRecorder()
        try await withServer { io, port in
            _ = io.of("/other")
            io.main.onConnection { socket in
                guard socket.handshake.auth == ["bad": true] else { return }
                socket.onAny { event, _ in recorder.add("event \(event)") }
                socket.onError { errors.add($0) }
                socket.onDisconnect { (reason: DisconnectReason) in recorder.add("\(reason)") }
            }
            let bystander = try await join(port, "/", .polling)
            let client = try await join(port, auth: "{\"bad\":true}")
            try client.session.send(wrong.messages)
            // All that would follow is ignored.
            try? client.emit("late")
            try await client.session.waitForClose()
            try await recorder.wait(for: "forced close")
            #expect(recorder.all == (wrong.name.hasPrefix("surplus") ? ["event a"] : []) + ["forced close"])
            if let code = wrong.code { #expect(errors.codes == [code]) }
            try await bystander.sync()
            #expect(io.main.sockets.count == 1)
        }
    }

    /// The same over polling, where the next poll tells of the end.
    @Test func overPolling() async throws {
        try await withServer { io, port in
            for (packet, connects) in [("0", true), ("2[\"a\"]", false), ("abc", true)] {
                let http = HTTPClient1(port: port)
                let path = "/socket.io/?EIO=4&transport=polling"
                let sid = try EIOHandshake(json: String(try await http.request("GET", path).text.dropFirst())).sid
                let target = "\(path)&sid=\(sid)"
                if connects {
                    _ = try await http.request("POST", target, body: .text("40"))
                    #expect(try await http.request("GET", target).text.hasPrefix("40{\"sid\":\""))
                }
                #expect(try await http.request("POST", target, body: .text("4" + packet)).text == "ok")
                #expect(try await http.request("GET", target).text == "6\u{1E}1")
                await http.close()
            }
            try await eventually("all are gone") { io.connectionCount == 0 }
        }
    }

    /// Strange, but allowed.
    @Test func harmless() async throws {
        try await withServer { io, port in
            let client = try await join(port)
            for packet in [
                "2[\"unheard\"]", "3[]", "30[]", "3123456789[1,2]", "2/,[\"unheard\"]", "50-[\"unheard\"]",
                "2 [ \"unheard\" , 1 ] ", "20[\"unheard\"]",
            ] { try client.sendRaw(packet) }
            // An attachment that nothing refers to, and one that is used twice.
            try client.sendRaw("51-[\"unheard\"]", binary: [[1]])
            let placeholder = SIOClient.placeholder(0)
            try client.sendRaw("51-[\"unheard\",\(placeholder),\(placeholder)]", binary: [[1]])
            try await client.sync()
            // Leaving what one has left is a violation, but not while both leave.
            #expect(client.protocolError == nil)
        }
    }
}
