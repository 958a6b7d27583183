import Logging

/// Keeps what is logged.
package final class LogLines: Sendable {
    package let lines = Awaited<[String]>([]) { "\($0)" }

    private let level: Logger.Level

    package init(level: Logger.Level = .info) { self.level = level }

    package var logger: Logger {
        Logger(label: "test") { _ in Handler(lines: lines, logLevel: level) }
    }

    package func wait(for text: String) async throws {
        try await lines.wait("a line with \(text)") { $0.contains { $0.contains(text) } ? () : nil }
    }

    package func count(of text: String) -> Int { lines.value.count { $0.contains(text) } }

    private struct Handler: LogHandler {
        let lines: Awaited<[String]>
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level

        subscript(metadataKey key: String) -> Logger.MetadataValue? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let line = "\(event.level) \(event.message) \(event.metadata ?? [:])"
            lines.update { $0.append(line) }
        }
    }
}
