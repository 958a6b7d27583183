import Testing

@testable import MessagePack

struct DialectTests {
    @Test func two() { #expect([MessagePackDialect.notepack3, .msgpackJS].count == 2) }
}
