import NIOCore
import TestSupport
import Testing

@testable import EngineIO

/// Clients of protocol 3; what the reference does with them is in `VectorTests`.
struct Version3Tests {
    private static let query = "EIO=3&transport=websocket"

    private static func path(_ sid: String? = nil, _ more: String = "") -> String {
        "/engine.io/?EIO=3&transport=polling" + (sid.map { "&sid=\($0)" } ?? "") + more
    }

    /// Opens a session by polling; nothing polls afterwards.
    private static func open(_ server: TestServer, _ more: String = "") async throws -> String {
        let reply = try await server.http.request("GET", Self.path(nil, more))
        let text = try #require(reply.text.firstRange(of: "0{").map { reply.text[$0.lowerBound...] })
        #expect(reply.text == "\(text.utf16.count):\(text)")
        return try EIOHandshake(json: String(text.dropFirst())).sid
    }

    @Test(arguments: ["polling", "websocket"]) func refusedUnlessAllowed(transport: String) async throws {
        try await withServer { server in
            let reply: HTTPReply
            if transport == "polling" {
                reply = try await server.http.request("GET", Self.path())
                #expect(reply.text == #"{"code":5,"message":"Unsupported protocol version"}"#)
            } else {
                let refused = try await #require(throws: WSRefused.self) { try await server.webSocket(Self.query) }
                reply = refused.reply
            }
            #expect(reply.status == 400)
            #expect(server.log.value.refusals.map(\.code) == [5])
        }
    }

    @Test func versionOfTheProtocol() async throws {
        try await withServer {
            $0.allowEIO3 = true
        } _: { server in
            let old = try await Self.open(server)
            let new = try await server.openPolling()
            #expect(try server.known(old).protocolVersion == 3)
            #expect(try server.known(new.sid).protocolVersion == 4)
        }
    }

    @Test func askedBeforeTheVersionCounts() async throws {
        try await withServer {
            $0.allowEIO3 = true
            $0.allowRequest = { $0.query["token"] == "1" ? .allow : .refuse(reason: "no") }
            $0.generateID = { _ in "my own id" }
        } _: { server in
            #expect(try await server.http.request("GET", Self.path()).status == 403)
            let id = try await Self.open(server, "&token=1")
            #expect(id == "my own id")
            #expect(try server.known(id).protocolVersion == 3)
        }
    }

    // MARK: Messages

    @Test func binaryPostOfVersion4IsRefused() async throws {
        try await withServer {
            $0.allowEIO3 = true
        } _: { server in
            let sid = try await server.openPolling().sid
            let reply = try await server.post(sid, "4x", headers: [("Content-Type", "application/octet-stream")])
            #expect(reply.status == 400)
            #expect(try await server.end(sid) == "transport error")
        }
    }

    @Test func lengthsCountUTF16() async throws {
        try await withServer {
            $0.allowEIO3 = true
        } _: { server in
            let sid = try await Self.open(server)
            let texts = ["", "a", "\u{E9}", "\u{20AC}", "\u{1F600}", "a\u{1E}b", "\u{1F468}\u{200D}\u{1F469}"]
            let body = texts.map { "\(1 + $0.utf16.count):4\($0)" }.joined()
            #expect(try await server.http.request("POST", Self.path(sid), body: .text(body)).text == "ok")
            #expect(try await server.messages(texts.count) == texts.map { .text($0) })
            #expect(try await server.http.request("GET", Self.path(sid)).text == body)
        }
    }

    @Test(arguments: ["99999999999999999999:4x", "5:4\u{1F600}4", "3:4xy9"])
    func badLengthsEndTheSession(body: String) async throws {
        try await withServer {
            $0.allowEIO3 = true
        } _: { server in
            let sid = try await Self.open(server)
            #expect(try await server.http.request("POST", Self.path(sid), body: .text(body)).text == "ok")
            #expect(try await server.end(sid) == "parse error")
        }
    }

    @Test func limitsOfBodies() async throws {
        try await withServer {
            $0.allowEIO3 = true
            $0.maxPayload = 100
            $0.maxPacketsPerPayload = 3
        } _: { server in
            let sid = try await Self.open(server)
            let large = "200:4" + String(repeating: "x", count: 199)
            #expect(try await server.http.request("POST", Self.path(sid), body: .text(large)).status == 413)
            // The session goes on.
            #expect(try await server.http.request("POST", Self.path(sid), body: .text("2:4a2:4b2:4c")).text == "ok")
            #expect(try await server.messages(3) == [.text("a"), .text("b"), .text("c")])
            #expect(try await server.http.request("POST", Self.path(sid), body: .text("1:41:41:41:4")).text == "ok")
            #expect(try await server.end(sid) == "parse error")
        }
    }

    @Test(arguments: [[], [7], [0], [4], [9, 1]] as [[UInt8]])
    func framesOfOtherTypes(bytes: [UInt8]) async throws {
        try await withServer {
            $0.allowEIO3 = true
        } _: { server in
            let webSocket = try await server.webSocket(Self.query)
            _ = try await webSocket.nextText()
            try await webSocket.send(bytes)
            if bytes == [0] || bytes == [4] {
                // An open packet means nothing, a message may be empty.
                try await webSocket.send("4still here")
                if bytes == [4] { try await webSocket.expectBinary([4]) }
                try await webSocket.expectText("4still here")
            } else {
                #expect(try await webSocket.expectClose() == nil)
                #expect(try await server.onlyEnd() == "parse error")
            }
        }
    }

    /// Entries of the outbox with several frames, small ones that lie together, and large ones.
    @Test(arguments: [false, true]) func binaryDataInOrder(usesBase64: Bool) async throws {
        try await withServer {
            $0.allowEIO3 = true
        } _: { server in
            let webSocket = try await server.webSocket(Self.query + (usesBase64 ? "&b64=1" : ""))
            _ = try await webSocket.nextText()
            let session = try #require(server.log.value.sessions.last)
            for size in [0, 1, 125, 126, 5000, 70_000] {
                session.send(text: "\(size)")
                session.send(binary: ByteBuffer(repeating: UInt8(size & 0xFF), count: size))
            }
            for size in [0, 1, 125, 126, 5000, 70_000] {
                try await webSocket.expectText("4\(size)")
                let bytes = Array(repeating: UInt8(size & 0xFF), count: size)
                if usesBase64 {
                    let text = try await webSocket.nextText()
                    #expect(try EIOPacketText.binary(text) == bytes)
                } else {
                    try await webSocket.expectBinary([4] + bytes)
                }
            }
        }
    }

    @Test func upgradeKeepsTheOrder() async throws {
        try await withServer {
            $0.allowEIO3 = true
        } _: { server in
            let sid = try await Self.open(server, "&b64=1")
            let session = try server.known(sid)
            session.send(binary: ByteBuffer(bytes: [1]))
            #expect(try await server.http.request("GET", Self.path(sid)).text == "6:b4AQ==")
            let webSocket = try await server.webSocket(Self.query + "&sid=\(sid)")
            try await webSocket.send("2probe")
            try await webSocket.expectText("3probe")
            session.send(text: "before")
            session.send(binary: ByteBuffer(bytes: [2]))
            try await webSocket.send("5")
            // That the polls were for base64 is their affair.
            try await webSocket.expectText("4before")
            try await webSocket.expectBinary([4, 2])
            #expect(session.transport == .websocket)
        }
    }

    // MARK: Closing

    @Test func closedByTheServer() async throws {
        try await withServer {
            $0.allowEIO3 = true
        } _: { server in
            let sid = try await Self.open(server)
            let session = try server.known(sid)
            session.send(text: "bye")
            session.close()
            #expect(try await server.http.request("GET", Self.path(sid)).text == "4:4bye")
            #expect(try await server.http.request("GET", Self.path(sid)).text == "1:61:1")
            #expect(try await server.end(sid) == "forced close")
        }
    }

    // MARK: Broadcasts

    /// One conversion for all clients of a loop, and none for text.
    @Test func framesAreConvertedOnce() async throws {
        try await withServer {
            $0.allowEIO3 = true
            $0.eventLoopCount = 1
        } _: { server in
            let webSocket = try await server.webSocket(Self.query)
            let session = try #require(server.log.value.sessions.last)
            let loop = session.loop
            let isDone = try await loop.eventLoop.submit {
                let binary = try #require(WebSocketVersion3(session, usesBase64: false))
                let base64 = try #require(WebSocketVersion3(session, usesBase64: true))
                func place(_ buffer: ByteBuffer) -> Int {
                    buffer.withUnsafeReadableBytes { Int(bitPattern: $0.baseAddress) }
                }
                let text = ByteBuffer(bytes: [0x81, 2] + "4a".utf8)
                #expect(place(binary.converted(text, on: loop)) == place(text))
                let frames = ByteBuffer(bytes: [0x82, 1, 9])
                let first = binary.converted(frames, on: loop)
                #expect(Array(first.readableBytesView) == [0x82, 2, 4, 9])
                #expect(place(binary.converted(frames, on: loop)) == place(first))
                #expect(String(buffer: base64.converted(frames, on: loop)).hasSuffix("b4CQ=="))
                // Equal is not the same.
                let others = ByteBuffer(bytes: [0x82, 1, 9])
                #expect(place(binary.converted(others, on: loop)) != place(first))
                return true
            }.get()
            #expect(isDone)
            // Nothing is held behind the next drain.
            session.send(text: "x")
            _ = try await webSocket.nextText()
            try await webSocket.expectText("4x")
            #expect(try await loop.eventLoop.submit { loop.version3.isEmpty }.get())
        }
    }
}

/// Reads `b4…`.
enum EIOPacketText {
    static func binary(_ text: String) throws -> [UInt8] {
        guard text.hasPrefix("b4") else { throw PeerError("no binary packet but \(text.prefix(40))") }
        guard let bytes = base64Bytes(String(text.dropFirst(2))) else { throw PeerError("wrong base64") }
        return bytes
    }
}
