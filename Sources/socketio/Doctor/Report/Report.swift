import SocketIOClient

/// Findings as lines for people, or as one JSON object for programs.
struct Report: Sendable {
    var palette = Palette.plain

    private static let titleWidth = 17
    /// Of a line, where there are words enough to break it.
    private static let lineWidth = 100

    func lines(_ finding: Finding) -> [String] {
        let (word, role): (String, Palette.Role) =
            switch finding.outcome {
            case .ok: ("ok  ", .incoming)
            case .warning: ("warn", .status)
            case .failure: ("FAIL", .failure)
            case .skipped: ("skip", .time)
            }
        let title = finding.step.title + String(repeating: " ", count: Self.titleWidth - finding.step.title.count)
        let indent = String(repeating: " ", count: 5 + Self.titleWidth)
        var lines = Self.wrap(finding.seen, indent.count).map { indent + $0 }
        if !lines.isEmpty {
            lines[0] =
                self.palette.paint(word, role) + " " + self.palette.paint(title, .name)
                + String(lines[0].dropFirst(indent.count))
        }
        guard let advice = finding.advice else { return lines }
        let arrow = Self.wrap(advice, indent.count + 3)
        for (index, line) in arrow.enumerated() { lines.append(indent + (index == 0 ? "-> " : "   ") + line) }
        return lines
    }

    /// The last line.
    func summary(_ findings: [Finding]) -> String {
        let failures = findings.count { $0.outcome == .failure }
        let warnings = findings.count { $0.outcome == .warning }
        let more = warnings == 0 ? "" : warnings == 1 ? " and 1 warning" : " and \(warnings) warnings"
        if failures == 0 { return warnings == 0 ? "All is well." : "It works, with\(more.dropFirst(4))." }
        return (failures == 1 ? "1 thing is wrong" : "\(failures) things are wrong")
            + (more.isEmpty ? "." : "," + more + ".")
    }

    func json(_ url: String, _ findings: [Finding]) -> String {
        let steps = findings.map { finding -> SocketIOValue in
            var members: [(String, SocketIOValue)] = [
                ("step", .string(finding.step.rawValue)), ("result", .string(finding.outcome.rawValue)),
                ("seen", .string(finding.seen)),
            ]
            if let advice = finding.advice { members.append(("advice", .string(advice))) }
            return .object(SocketIOValue.Object(members))
        }
        let isWell = Self.isWell(findings)
        return ValuePrinter().text(
            .object(SocketIOValue.Object([("url", .string(url)), ("ok", .bool(isWell)), ("steps", .array(steps))])))
    }

    static func isWell(_ findings: [Finding]) -> Bool { !findings.contains { $0.outcome == .failure } }

    private static func wrap(_ text: String, _ indent: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + word.count + 1 > self.lineWidth - indent {
                lines.append(line)
                line = ""
            }
            if !line.isEmpty { line += " " }
            line += word
        }
        return lines + [line]
    }
}
