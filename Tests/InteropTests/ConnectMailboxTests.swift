import NIOCore
import SocketIO
import Testing

@testable import socketio

/// What `socketio connect` keeps while nobody takes what it writes.
@Suite struct ConnectMailboxTests {
    private func taken(_ mailbox: Mailbox) async -> (events: Int, dropped: Int) {
        mailbox.post(.timeout)
        var count = 0
        var dropped = 0
        for await message in mailbox.messages {
            guard case .occurrence(let occurrence) = message else { break }
            count += 1
            dropped += mailbox.took(occurrence)
        }
        return (count, dropped)
    }

    @Test func bytesAreBounded() async {
        let mebibyte = 1 << 20
        let values: [SocketIOValue] = [
            .string(String(repeating: "x", count: mebibyte)), .binary(ByteBuffer(repeating: 1, count: mebibyte)),
            [["a": .string(String(repeating: "x", count: mebibyte))]],
            .object([String(repeating: "x", count: mebibyte): 1]),
            .array(Array(repeating: nil, count: mebibyte / 64)),
        ]
        for value in values {
            let mailbox = Mailbox()
            for _ in 0..<100 { mailbox.post(.event("big", [value])) }
            let first = await self.taken(mailbox)
            #expect((60..<64).contains(first.events))
            #expect(first.dropped == 100 - first.events)
        }
    }

    /// One that is larger than all may be has room when it is alone.
    @Test func whatWasTakenMakesRoom() async {
        let mailbox = Mailbox()
        let huge = SocketIOValue.binary(ByteBuffer(repeating: 1, count: Mailbox.maxBytes + 1))
        mailbox.post(.event("huge", [huge]))
        mailbox.post(.event("small", [1]))
        #expect(await self.taken(mailbox) == (1, 1))
        mailbox.post(.event("small", [1]))
        #expect(await self.taken(mailbox) == (1, 0))
    }

    @Test func eventsAreBounded() async {
        let mailbox = Mailbox()
        for _ in 0..<Mailbox.maxEvents + 5 { mailbox.post(.event("small", [])) }
        #expect(await self.taken(mailbox) == (Mailbox.maxEvents, 5))
    }
}
