import Foundation

/// Files of an authority, of a certificate that it has signed for `localhost`, `127.0.0.1` and `::1`, and of one for a client, in
/// PEM.
///
/// Removed when the last reference goes.
package final class TestCertificates: Sendable {
    private let directory: String
    package var authority: String { directory + "/ca.pem" }
    package var certificate: String { directory + "/server.pem" }
    package var key: String { directory + "/server.key" }
    package var clientCertificate: String { directory + "/client.pem" }
    package var clientKey: String { directory + "/client.key" }

    private init(directory: String) { self.directory = directory }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// Makes them with the program `openssl`.
    ///
    /// - Parameters:
    ///   - names: what the server's is for.
    ///   - days: how long the server's is valid; it has expired if the number is negative.
    package static func make(
        names serverNames: String = "DNS:localhost,IP:127.0.0.1,IP:::1", days: Int = 2
    ) async throws -> TestCertificates {
        let directory = NSTemporaryDirectory() + "tls-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        let made = TestCertificates(directory: directory)
        let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        try await run(
            ["req", "-x509"] + newKey
                + ["-keyout", directory + "/ca.key", "-out", made.authority, "-subj", "/CN=Test", "-days", "2"])
        for (name, names) in [("server", serverNames), ("client", "DNS:client")] {
            let file = directory + "/" + name
            try await run(
                ["req", "-new", "-addext", "subjectAltName=" + names] + newKey
                    + ["-keyout", file + ".key", "-out", file + ".csr", "-subj", "/CN=" + name])
            try await run([
                "x509", "-req", "-in", file + ".csr", "-CA", made.authority, "-CAkey", directory + "/ca.key",
                "-CAcreateserial", "-out", file + ".pem", "-days", name == "server" ? "\(days)" : "2",
                "-copy_extensions", "copy",
            ])
        }
        return made
    }

    private static func run(_ arguments: [String]) async throws {
        let process = try ServerProcess("/usr/bin/env", ["openssl"] + arguments)
        let status = try await process.waitForExit(timeout: .seconds(60))
        guard status == .exited(0) else { throw PeerError("openssl ended with \(status): \(process.lines)") }
    }
}
