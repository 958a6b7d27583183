import Foundation
import MetricsTestKit
import TestSupport
import Testing

@testable import SocketIO

extension TestMetrics {
    /// All series, as `type name{label=value}`.
    var series: [String] {
        func text(_ type: String, _ name: String, _ dimensions: [(String, String)]) -> String {
            "\(type) \(name){\(dimensions.map { "\($0.0)=\($0.1)" }.joined(separator: ","))}"
        }
        return self.counters.map { text("counter", $0.label, $0.dimensions) }
            + self.recorders.map { text($0.aggregate ? "histogram" : "gauge", $0.label, $0.dimensions) }
            + self.timers.map { text("timer", $0.label, $0.dimensions) }
            + self.meters.map { text("meter", $0.label, $0.dimensions) }
    }
}

/// `OBSERVABILITY.md` lists what there is, and nothing else.
struct MetricsDocumentTests {
    /// A row of the table: `name`, type, unit, labels with their values, meaning.
    private func documented() throws -> Set<String> {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..")
        let text = try String(contentsOf: root.appending(path: "OBSERVABILITY.md"), encoding: .utf8)
        var series: Set<String> = []
        for line in text.split(separator: "\n") where line.hasPrefix("| `socketio_") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            try #require(cells.count == 5, "five cells: \(line)")
            let name = cells[0].trimmingCharacters(in: CharacterSet(charactersIn: "`"))
            #expect(["counter", "gauge", "timer"].contains(cells[1]), "type of \(name)")
            #expect(!cells[2].isEmpty && !cells[4].isEmpty, "unit and meaning of \(name)")
            let words = cells[3].split(separator: "`", omittingEmptySubsequences: false)
            let names = stride(from: 1, to: words.count, by: 2).map { String(words[$0]) }
            guard let label = names.first else {
                series.insert("\(cells[1]) \(name){}")
                continue
            }
            for value in names.dropFirst() { series.insert("\(cells[1]) \(name){\(label)=\(value)}") }
        }
        return series
    }

    @Test func theTableSaysWhatThereIs() async throws {
        let metrics = TestMetrics()
        try await withServer {
            $0.metrics = MetricsConfiguration(factory: metrics)
        } _: { _, port in
            await (try await join(port)).close()
        }
        let there = Set(metrics.series)
        let documented = try self.documented()
        #expect(there.subtracting(documented) == [], "not documented")
        #expect(documented.subtracting(there) == [], "documented, and not there")
        // What is described is what is made.
        let described = (EngineMetrics.descriptions + SocketMetrics.descriptions).flatMap { metric in
            (metric.label?.values.map { "{\(metric.label?.name ?? "")=\($0)}" } ?? ["{}"]).map {
                "\(metric.kind.rawValue) socketio_\(metric.name)\($0)"
            }
        }
        #expect(Set(described) == there)
        #expect(described.count == there.count, "a series is made twice")
    }
}
