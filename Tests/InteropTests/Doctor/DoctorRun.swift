import Foundation
import TestSupport
import Testing

/// One run of `socketio doctor --json`.
struct DoctorRun {
    struct Step: Decodable, Equatable {
        var step: String
        var result: String
        var seen: String
        var advice: String?
    }

    private struct Report: Decodable {
        var url: String
        var ok: Bool
        var steps: [Step]
    }

    static let names = [
        "url", "dns", "tcp", "tls", "handshake", "versions", "parameters", "sessions", "websocket", "upgrade", "cors",
        "namespace", "ping", "round-trip",
    ]

    let status: ServerProcess.Status
    let steps: [Step]

    /// Expects one report with every step in it once.
    static func run(_ arguments: String..., timeout: String = "20s") async throws -> DoctorRun {
        let process = try ServerProcess(
            try ServeCommandTests.executable, ["doctor", "--json", "--timeout", timeout] + arguments)
        let status = try await process.waitForExit(timeout: .seconds(120))
        let lines = try await process.allLines()
        #expect(lines.filter { $0.stream == .error } == [])
        #expect(lines.count == 1)
        let report = try JSONDecoder().decode(Report.self, from: Data((lines.first?.text ?? "").utf8))
        #expect(report.url == arguments.first)
        #expect(report.steps.map(\.step).sorted() == Self.names.sorted())
        #expect(report.ok == !report.steps.contains { $0.result == "failure" })
        #expect(status == .exited(report.ok ? 0 : 1))
        for step in report.steps where step.result == "failure" || step.result == "warning" {
            #expect(step.advice?.isEmpty == false, "\(step)")
        }
        return DoctorRun(status: status, steps: report.steps)
    }

    subscript(_ name: String) -> Step? { self.steps.first { $0.step == name } }

    /// The names of the steps with this result, in order.
    func all(_ result: String) -> [String] { self.steps.filter { $0.result == result }.map(\.step) }

    /// Expects one step to have failed, all before it to be well and the others not to have been looked at.
    func expectStop(at name: String, _ seen: String, advice: String, sourceLocation: SourceLocation = #_sourceLocation)
    {
        #expect(self.all("failure") == [name], "\(self.steps)", sourceLocation: sourceLocation)
        self.expect(name, "failure", seen, advice: advice, sourceLocation: sourceLocation)
        let index = Self.names.firstIndex(of: name) ?? 0
        for later in Self.names[(index + 1)...] {
            #expect(self[later]?.result == "skipped", "\(later)", sourceLocation: sourceLocation)
        }
    }

    func expect(
        _ name: String, _ result: String, _ seen: String = "", advice: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let step = self[name]
        #expect(step?.result == result, "\(self.steps)", sourceLocation: sourceLocation)
        #expect(seen.isEmpty || step?.seen.contains(seen) == true, "\(self.steps)", sourceLocation: sourceLocation)
        guard let advice else { return }
        #expect(step?.advice?.contains(advice) == true, "\(self.steps)", sourceLocation: sourceLocation)
    }
}
