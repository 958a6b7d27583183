import NIOCore
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

    @Test func nothingIsWrittenToTheSocketOfAnotherOnceItsOwnIsClosed() async throws {
        try await withServer {
            $0.eventLoopCount = 2
        } _: { server in
            for round in 0..<20 {
                let gone = try await WSClient.connect(
                    port: server.port, path: "/engine.io/?EIO=4&transport=websocket", receiveBuffer: 4096)
                _ = try await gone.nextText()
                let session = try #require(server.log.value.sessions.last)
                try await gone.connection.pauseReading()
                let failures = Awaited(0)
                for number in 0..<10 {
                    // Who is told of the failure sends again at once.
                    session.send(binary: self.payload(number * 9 + 6)) { isSent in
                        guard !isSent else { return }
                        failures.update { $0 += 1 }
                        session.send(text: "for \(round)")
                    }
                }
                await gone.connection.reset()
                // These get the descriptors that become free.
                for _ in 0..<3 {
                    let other = try await server.openWebSocket()
                    try await other.send("4ping \(round)")
                    try await other.expectText("4ping \(round)")
                    try await other.close()
                }
                try await failures.wait("the failure") { $0 > 0 ? true : nil }
            }
        }
    }
}
