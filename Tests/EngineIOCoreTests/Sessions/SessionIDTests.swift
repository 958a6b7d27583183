import Testing

@testable import EngineIOCore

@Suite struct SessionIDTests {
    @Test func shape() {
        let alphabet = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        var seen = Set<String>()
        var characters = Set<Character>()
        for _ in 0..<2000 {
            let id = SessionID.random()
            #expect(id.count == SessionID.length)
            #expect(seen.insert(id).inserted)
            characters.formUnion(id)
        }
        #expect(characters == alphabet)
    }

    @Test func everyBitCounts() {
        var ids: Set<String> = [SessionID.make(0, 0)]
        for bit in 0..<60 {
            ids.insert(SessionID.make(1 << UInt64(bit), 0))
            ids.insert(SessionID.make(0, 1 << UInt64(bit)))
        }
        #expect(ids.count == 121)
        #expect(SessionID.make(0, 0) == "AAAAAAAAAAAAAAAAAAAA")
        #expect(SessionID.make(.max, .max) == "____________________")
    }

    /// Many more than are fetched at a time: none comes twice, none is an erased one.
    @Test func fromAStock() {
        var stock = RandomStock()
        var words: Set<UInt64> = [0]
        for _ in 0..<1000 { words.insert(stock.next()) }
        #expect(words.count == 1001)
        var ids = Set<String>()
        for _ in 0..<1000 { ids.insert(SessionID.random(from: &stock)) }
        #expect(ids.count == 1000)
    }
}
