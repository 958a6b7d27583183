import Testing

@testable import SocketIORedis

/// From where a stream is read, whatever has happened to it.
@Suite struct StreamPositionTests {
    private func id(_ milliseconds: UInt64) -> StreamID { StreamID(milliseconds: milliseconds, sequence: 0) }

    private func position(_ ids: UInt64...) -> StreamPosition {
        var position = StreamPosition()
        position.locate(self.id(ids[0]))
        for id in ids.dropFirst() { position.advance(to: self.id(id)) }
        return position
    }

    @Test func itBeginsAtTheEnd() {
        var position = StreamPosition()
        #expect(position.mustBeLocated)
        position.doubt()
        position.locate(self.id(5))
        #expect(position.last == self.id(5) && !position.mustBeLocated)
        var empty = StreamPosition()
        empty.locate(nil)
        #expect(empty.last == .zero && !empty.mustBeLocated)
    }

    @Test func itGoesOnAfterALoss() {
        var position = self.position(5, 6)
        position.doubt()
        #expect(position.mustBeLocated)
        position.locate(self.id(6))
        #expect(position.last == self.id(6))
        position.doubt()
        position.locate(self.id(9))
        #expect(position.last == self.id(6), "what was written meanwhile is still to be read")
    }

    @Test func anEmptyDataSetIsReadFromItsBeginning() {
        var position = self.position(5, 6)
        position.doubt()
        position.locate(nil)
        #expect(position.last == .zero)
        var other = self.position(5, 6)
        other.doubt()
        other.locate(self.id(2))
        #expect(other.last == .zero, "nothing of it was read before")
    }

    @Test func anOlderStateOfTheStreamIsNotReadAgain() {
        var position = self.position(5, 6, 7, 8)
        position.doubt()
        position.locate(self.id(7))
        #expect(position.last == self.id(7))
    }

    @Test func ids() {
        #expect(StreamID("1-2") == StreamID(milliseconds: 1, sequence: 2))
        #expect(StreamID("18446744073709551615-18446744073709551615")?.next == nil)
        #expect(StreamID("1-18446744073709551615")?.next == StreamID(milliseconds: 2, sequence: 0))
        #expect(StreamID("1-2").map { "\($0)" } == "1-2")
        let invalid = ["", "-", "1", "1-", "-1", "1-2-3", "+1-2", "1 -2", "$", "18446744073709551616-0", "１-2"]
        for text in invalid { #expect(StreamID(text) == nil, "\(text)") }
        #expect(self.id(2) > StreamID(milliseconds: 1, sequence: 9))
    }
}
