import App
import Hummingbird

@main
struct Main {
    static func main() async throws {
        let app = try await makeApplication(
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 8080)),
            secret: "change me: 32 bytes at the least")
        try await app.runService()
    }
}
