import Foundation
import TestSupport
import Testing

/// The tables that say which test shows what name tests that exist.
@Suite struct ConformanceDocumentTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..")
        .standardizedFileURL

    /// The names of all test functions and suites.
    private static func tests() throws -> Set<String> {
        let folder = Self.root.appending(path: "Tests")
        var names: Set<String> = []
        let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
        for case let file as URL in files where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            for match in text.matches(of: /(?:func|struct|class|enum) (\w+)/) { names.insert(String(match.1)) }
            for match in text.matches(of: /static (?:let|var) (\w+)/) { names.insert(String(match.1)) }
        }
        return names
    }

    /// What stands in backticks in the last cell of each row of the tables that name tests there.
    private static func named(in path: String, from heading: String? = nil) throws -> [(row: String, names: [String])] {
        let text = try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
        var lines = text.split(separator: "\n")[...]
        if let heading { lines = lines.drop { $0 != heading } }
        return lines.filter { $0.hasPrefix("| ") && !$0.hasPrefix("| ---") }.map { line in
            let last = line.dropLast(2).split(separator: " | ").last ?? ""
            return (String(line), last.matches(of: /`([^`]+)`/).map { String($0.1) })
        }
    }

    /// - Parameter others: Settings and calls that the text speaks of.
    private func check(_ path: String, from heading: String? = nil, others: Set<String> = []) throws {
        let tests = try Self.tests()
        let rows = try Self.named(in: path, from: heading)
        #expect(rows.count > 20)
        for (row, names) in rows {
            for name in names where !others.contains(name) {
                // A function may be named with its suite.
                for part in name.split(separator: ".") {
                    #expect(tests.contains(String(part)), "\(name), in: \(row)")
                }
            }
        }
        #expect(others.subtracting(rows.flatMap(\.names)).isEmpty, "no longer spoken of")
    }

    @Test func theServer() throws {
        try self.check(
            "Tests/SocketIOTests/CONFORMANCE.md",
            others: [
                "fallback", "leaveAll", "async", "ConnectError", "onConnection", "compress", "clientDirectory",
                "attach",
                "disconnect", "emit",
            ])
    }

    @Test func theTransport() throws {
        try self.check(
            "Tests/EngineIOTests/CONFORMANCE.md",
            others: ["bufferedBytes", "fallback", "responseHeaders", "allowRequest"])
    }

    @Test func advisories() throws {
        try self.check("SECURITY.md", from: "## What attackers found elsewhere")
    }
}
