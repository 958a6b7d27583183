import NIOCore
import SocketIOCore
import Testing

@testable import SocketIOClient

struct WaitingEventsTests {
    @Test func theyDoNotKeepTheReadThatTheyCameIn() throws {
        var events = WaitingEvents(maxBytes: 1000)
        events.append(try smallPart(#"2["a",1]"#), session: 1)
        let kept = try #require(events.popFirst()?.packet.payload)
        #expect(kept.storageCapacity < 1000)
        #expect(String(buffer: kept) == #"["a",1]"#)
        #expect(events.bytes == 0)
    }
}
