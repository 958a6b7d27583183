import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import EngineIO

/// What is written past SwiftNIO, and what SwiftNIO writes because the system did not take it, is one stream.
struct DirectSocketTests {
    private func payload(_ number: Int) -> ByteBuffer {
        // Some leave with one call, some are cut in two by the system, and some are copied together.
        let size = [8, 60, 8, 3000, 20_000, 8, 900_000, 8, 70_000][number % 9]
        var bytes = ByteBuffer()
        bytes.writeInteger(UInt64(number))
        bytes.writeRepeatingByte(UInt8(truncatingIfNeeded: number), count: size - 8)
        return bytes
    }

    @Test(arguments: [1, 2])
    func orderIsKeptWhenTheSystemTakesAPart(loops: Int) async throws {
        try await withServer {
            $0.eventLoopCount = loops
        } _: { server in
            let webSocket = try await WSClient.connect(
                port: server.port, path: "/engine.io/?EIO=4&transport=websocket", receiveBuffer: 4096)
            _ = try await webSocket.nextText()
            let session = try #require(server.log.value.sessions.first)
            let outcomes = Awaited([Int]())
            var sent = 0
            for _ in 0..<4 {
                try await webSocket.connection.pauseReading()
                let first = sent
                while sent < first + 60 {
                    let number = sent
                    session.send(binary: self.payload(number)) { isSent in
                        if isSent { outcomes.update { $0.append(number) } }
                    }
                    sent += 1
                }
                #expect(session.bufferedBytes > 0)
                try await webSocket.connection.resumeReading()
                // The second half of what is read is sent while the first is on its way.
                for number in first..<first + 120 {
                    if sent < first + 120 {
                        session.send(binary: self.payload(sent))
                        sent += 1
                    }
                    try await webSocket.expectBinary(Array(self.payload(number).readableBytesView))
                }
                try await eventually("all was handed to the system") { session.bufferedBytes == 0 }
            }
            let told = outcomes.value
            #expect(told.count == 240)
            #expect(told == told.sorted())
        }
    }

    /// The system takes a part of one packet and has room again before the next one of the same turn, which must not pass the rest.
    @Test func packetsOfATurnDoNotPassEachOther() async throws {
        try await withServer { server in
            for round in 0..<3 {
                let webSocket = try await WSClient.connect(
                    port: server.port, path: "/engine.io/?EIO=4&transport=websocket", receiveBuffer: 4096)
                _ = try await webSocket.nextText()
                let session = try #require(server.log.value.sessions.last)
                for number in 0..<100 {
                    // Each is taken alone, and what is left of it leaves the channel writable.
                    session.send(binary: ByteBuffer(repeating: UInt8(number), count: 66_000 + round * 8000))
                }
                for number in 0..<100 {
                    try await webSocket.expectBinary(
                        [UInt8](repeating: UInt8(number), count: 66_000 + round * 8000))
                }
            }
        }
    }

    /// What waits behind writes that SwiftNIO has not flushed yet must not leave before them.
    @Test func smallFramesBehindABatchStayBehindIt() async throws {
        try await withServer {
            $0.eventLoopCount = 1
        } _: { server in
            let webSocket = try await server.openWebSocket()
            let session = try #require(server.log.value.sessions.first)
            // From here on SwiftNIO is known to have nothing.
            session.send(text: "first")
            try await webSocket.expectText("4first")
            session.send(text: "second")
            try await webSocket.expectText("4second")
            // Four frames of 16 KiB with their headers: a batch, which leaves the channel writable.
            let large = [UInt8](repeating: 7, count: (16 << 10) - 4)
            try await session.loop.eventLoop.submit {
                for _ in 0..<4 { session.send(binary: ByteBuffer(bytes: large)) }
                session.send(text: "last")
            }.get()
            for _ in 0..<4 { try await webSocket.expectBinary(large) }
            try await webSocket.expectText("4last")
        }
    }

    /// Backlogs of small messages for a client that reads, but slowly.
    @Test func backlogsOfSmallFramesKeepTheirOrder() async throws {
        try await withServer {
            $0.eventLoopCount = 1
        } _: { server in
            let webSocket = try await WSClient.connect(
                port: server.port, path: "/engine.io/?EIO=4&transport=websocket", receiveBuffer: 4096)
            _ = try await webSocket.nextText()
            let session = try #require(server.log.value.sessions.first)
            let filler = String(repeating: "x", count: 1000)
            let count = 12_000
            async let sent: Void = {
                for number in 0..<count {
                    if number % 100 == 0 { try await session.ready(below: 4 << 20) }
                    session.send(text: "\(number) \(filler)")
                }
            }()
            for number in 0..<count { try await webSocket.expectText("4\(number) \(filler)") }
            try await sent
        }
    }

    /// Once SwiftNIO has closed a descriptor it may be another connection's.
    @Test func nothingIsWrittenToADescriptorThatIsForgotten() async throws {
        let received = Awaited([UInt8]())
        let server = try await ServerBootstrap(group: PeerLoops.group)
            .childChannelInitializer { channel in
                channel.pipeline.addHandler(Collector(received))
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let user = DirectUser()
        let client = try await ClientBootstrap(group: PeerLoops.group)
            .channelInitializer { channel in channel.pipeline.addHandler(user) }
            .connect(host: "127.0.0.1", port: server.localAddress?.port ?? 0).get()
        #expect(try await client.eventLoop.submit { user.send("one") }.get() == 0)
        try await received.wait("the bytes") { $0 == Array("one".utf8) ? true : nil }
        #expect(
            try await client.eventLoop.submit {
                user.direct.forget()
                return user.send("two")
            }.get() == 3)
        try await client.close()
        try await server.close()
        #expect(received.value == Array("one".utf8))
    }
}

private final class Collector: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    private let received: Awaited<[UInt8]>

    init(_ received: Awaited<[UInt8]>) { self.received = received }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Self.unwrapInboundIn(data)
        self.received.update { $0 += bytes.readableBytesView }
    }
}

/// On its loop only.
private final class DirectUser: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    var direct = DirectSocket(isAvailable: true, isFresh: true)
    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// Returns how many bytes are left.
    func send(_ text: String) -> Int {
        guard let context = self.context else { return -1 }
        var bytes = ByteBuffer(string: text)
        self.direct.send(&bytes, context)
        return bytes.readableBytes
    }
}
