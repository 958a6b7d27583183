import EngineIOClient
import Testing

struct ErrorTests {
    @Test func description() {
        #expect("\(EngineClientError(.init(rawValue: "refused"), "no server"))" == "refused: no server")
    }
}
