import SocketIOClient
import Testing

struct ExportTests {
    @Test func keysComeWithTheClient() { #expect(Event<Int>("x").name == "x") }
}
