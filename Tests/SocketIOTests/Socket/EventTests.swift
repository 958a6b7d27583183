import Foundation
import NIOCore
import SocketIO
import TestSupport
import Testing

/// What arguments look like on both ends, over both transports.
@Suite struct EventTests {
    @Test(arguments: bothTransports) func argumentsOfAllKinds(_ transport: EIOOptions.Transport) async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            io.onConnection { socket in
                socket.on("values") { (a: Int, b: String, c: [Double], d: [String: Bool?], e: String?) in
                    recorder.add("\(a) \(b) \(c) \(d["x"] == .some(.none)) \(e ?? "nil")")
                }
                socket.on("send") {
                    socket.emit("values", 1, "2", [3.5], ["x": Bool?.none], String?.none, Double.nan)
                }
            }
            let client = try await join(port, "/", transport)
            try client.emit("values", "1", "\"2\"", "[3]", "{\"x\":null}", "null")
            try client.emit("values", "1", "\"2\"", "[3]", "{\"x\":null}", "\"e\"", "\"surplus\"")
            try client.emit("values", "1", "\"2\"", "[3]", "{\"x\":null}")
            let end = "true nil"
            #expect(
                try await recorder.wait(count: 3) == ["1 2 [3.0] \(end)", "1 2 [3.0] true e", "1 2 [3.0] \(end)"])
            try client.emit("send")
            let arguments = try await client.expectEvent("values")
            #expect(arguments.json == "[\"values\",1,\"2\",[3.5],{\"x\":null},null,null]")
        }
    }

    @Test(arguments: bothTransports) func textOfManyBytes(_ transport: EIOOptions.Transport) async throws {
        let text = "てすと 𝒜 é \u{2028} \u{1E} \" \\ 👩‍👩‍👧"
        try await withServer { io, port in
            io.onConnection { socket in
                socket.on("echo") { (text: String) in socket.emit("echo", text) }
            }
            let client = try await join(port, "/", transport)
            for _ in 0..<3 { try client.emit("echo", jsonString(text)) }
            for _ in 0..<3 { #expect(try await client.expectEvent("echo").string(0) == text) }
        }
    }

    @Test(arguments: bothTransports) func messageIsAnEvent(_ transport: EIOOptions.Transport) async throws {
        try await withServer { io, port in
            io.onConnection { socket in
                socket.on("message") { (text: String) in socket.send(text, "from server") }
            }
            let client = try await join(port, "/", transport)
            try client.emit("message", "\"hi\"")
            let arguments = try await client.expectEvent("message")
            #expect(arguments.string(0) == "hi")
            #expect(arguments.string(1) == "from server")
        }
    }

    @Test(arguments: bothTransports) func binaryBothWays(_ transport: EIOOptions.Transport) async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            io.onConnection { socket in
                socket.on("file") { (data: ByteBuffer) in
                    recorder.add("file \(data.readableBytes)")
                    socket.emit("file", data)
                }
                socket.on("mixed") { (a: Int, b: Data, c: [String: ByteBuffer], d: SocketIOValue) in
                    recorder.add("mixed \(a) \(Array(b)) \(c["in"]?.readableBytes ?? -1) \(d)")
                    socket.emit("mixed", a, b, c, [d, .binary(ByteBuffer(bytes: [7]))])
                }
            }
            let client = try await join(port, "/", transport)
            let file = (0..<70_000).map { UInt8(truncatingIfNeeded: $0) }
            try client.emit("file", SIOClient.placeholder(0), binary: [file])
            #expect(try await client.expectEvent("file").bytes(0) == file)
            try client.emit(
                "mixed", "5", SIOClient.placeholder(0), "{\"in\":\(SIOClient.placeholder(1))}", "\"text\"",
                binary: [[1, 2], []])
            let mixed = try await client.expectEvent("mixed")
            #expect(mixed.int(0) == 5)
            #expect(mixed.bytes(1) == [1, 2])
            #expect(mixed.attachment(mixed.object(2)?["in"]) == [])
            #expect(mixed.attachment((mixed[3] as? [Any])?[1]) == [7])
            #expect(recorder.all == ["file 70000", "mixed 5 [1, 2] 0 \"text\""])
        }
    }

    /// Now text, now binary, in one event: the handler takes either.
    @Test func argumentsOfUnknownType() async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            io.onConnection { socket in
                socket.on("any") { (value: SocketIOValue) in recorder.add("\(value)") }
                socket.on("all") { (first: Int, rest: Arguments) in
                    recorder.add("\(first) \(rest.count) \(rest.values)")
                    for value in rest { recorder.add("\(value)") }
                }
            }
            let client = try await join(port)
            try client.emit("any", "\"text\"")
            try client.emit("any", SIOClient.placeholder(0), binary: [[1, 2, 3]])
            try client.emit("any", "{\"b\":1,\"a\":[true,null,1.5]}")
            try client.emit("all", "1", "2", "\"x\"")
            try client.emit("all", "1")
            #expect(
                try await recorder.wait(count: 7) == [
                    "\"text\"", "<3 bytes>", "{\"b\":1,\"a\":[true,null,1.5]}", "1 2 [2, \"x\"]", "2", "\"x\"",
                    "1 0 []",
                ])
        }
    }

    /// A large document and a large file, three times to and fro.
    @Test(arguments: bothTransports) func large(_ transport: EIOOptions.Transport) async throws {
        struct Row: Codable, Sendable { var id: Int, name: String, tags: [String], nested: [[Double]] }
        try await withServer { io, port in
            io.onConnection { socket in
                socket.on("json") { (rows: [Row]) in socket.emit("json", rows) }
                socket.on("bin") { (bytes: ByteBuffer) in socket.emit("bin", bytes) }
            }
            let client = try await join(port, "/", transport)
            let row = "{\"id\":1,\"name\":\"ä name\",\"tags\":[\"a\",\"b\"],\"nested\":[[1,2.5],[]]}"
            let json = "[" + Array(repeating: row, count: 5_000).joined(separator: ",") + "]"
            let bytes = (0..<500_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            for _ in 0..<3 {
                try client.emit("json", json)
                #expect(try await client.expectEvent("json").json == "[\"json\",\(json)]")
                try client.emit("bin", SIOClient.placeholder(0), binary: [bytes])
                #expect(try await client.expectEvent("bin").bytes(0) == bytes)
            }
        }
    }

    /// Events sent as soon as the namespace is joined come in order, also those that follow CONNECT in one payload.
    @Test(arguments: bothTransports) func inOrderFromTheBeginning(_ transport: EIOOptions.Transport) async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            io.of("/chat").onConnection { socket in
                for index in 0..<10 { socket.on("e\(index)") { recorder.add("\(index)") } }
            }
            let client = try await open(port, transport)
            try client.sendRaw("0/chat,")
            for index in 0..<10 { try client.emit("e\(index)", namespace: "/chat") }
            #expect(try await recorder.wait(count: 10) == (0..<10).map { "\($0)" })
        }
    }

    /// A name may be any string that is not reserved, empty ones and those of JavaScript's objects included.
    @Test func strangeNames() async throws {
        let names = ["", "__proto__", "constructor", "toString", "1", "a b", "é", "connection", "data"]
        let recorder = Recorder()
        try await withServer { io, port in
            io.onConnection { socket in
                for name in names { socket.on(name) { recorder.add(name) } }
            }
            let client = try await join(port)
            for name in names { try client.emit(name) }
            // A number as a name, which the protocol allows.
            try client.sendRaw("2[1]")
            #expect(try await recorder.wait(count: names.count + 1) == names + ["1"])
        }
    }

    /// An event that nobody listens to does nothing, also one with the name of what ends a process elsewhere.
    @Test(arguments: bothTransports) func errorWithoutAListener(_ transport: EIOOptions.Transport) async throws {
        let errors = ErrorRecorder()
        try await withServer {
            $0.onError = errors.hook
        } _: { io, port in
            io.onConnection { socket in socket.on("n") { (n: Int) in n } }
            let client = try await join(port, "/", transport)
            for text in ["2[\"error\"]", "27[\"error\",{}]", "2[\"error\",null,[{}]]"] { try client.sendRaw(text) }
            try client.emit("error", SIOClient.placeholder(0), binary: [[1]])
            #expect(try await client.emitWithAck("n", "1").int(0) == 1)
            #expect(errors.all.isEmpty)
            await client.close()
        }
    }

    @Test func whatCannotBeSentIsReported() async throws {
        struct Refusing: Encodable {
            func encode(to encoder: any Encoder) throws { throw TestError("no") }
        }
        let errors = ErrorRecorder()
        try await withServer {
            $0.onError = errors.hook
        } _: { io, port in
            let client = try await join(port)
            let socket = try await onlySocket(io.main)
            for name in ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"] {
                socket.emit(name)
                io.emit(name, 1)
            }
            socket.emit("bad", Refusing())
            io.emit("bad", Refusing())
            socket.emit("connect", arguments: [1])
            #expect(try await client.eventsSoFar().isEmpty)
            #expect(errors.codes.count { $0 == .reservedEvent } == 13)
            #expect(errors.codes.count { $0 == .encodingFailed } == 2)
            socket.emit("fine", arguments: [1, .binary(ByteBuffer(bytes: [1]))])
            #expect(try await client.expectEvent("fine").bytes(1) == [1])
        }
    }
}
