import Logging
import TestSupport

/// Keeps what is logged.
final class LogLines: Sendable {
    let lines = Awaited<[String]>([]) { "\($0)" }

    var logger: Logger {
        Logger(label: "test") { _ in Handler(lines: self.lines) }
    }

    func wait(for text: String) async throws {
        try await self.lines.wait("a line with \(text)") { $0.contains { $0.contains(text) } ? () : nil }
    }

    func count(of text: String) -> Int { self.lines.value.count { $0.contains(text) } }

    private struct Handler: LogHandler {
        let lines: Awaited<[String]>
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.MetadataValue? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let line = "\(event.level) \(event.message) \(event.metadata ?? [:])"
            self.lines.update { $0.append(line) }
        }
    }
}
