import Foundation

/// Files of an authority and of a certificate that it has signed for `localhost`, `127.0.0.1` and `::1`, in PEM.
///
/// Removed when the last reference goes.
package final class TestCertificates: Sendable {
    private let directory: String
    package var authority: String { directory + "/ca.pem" }
    package var certificate: String { directory + "/server.pem" }
    package var key: String { directory + "/server.key" }

    private init(directory: String) { self.directory = directory }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// Makes them with the program `openssl`.
    package static func make() async throws -> TestCertificates {
        let directory = NSTemporaryDirectory() + "tls-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        let made = TestCertificates(directory: directory)
        let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        try await run(
            ["req", "-x509"] + newKey
                + ["-keyout", directory + "/ca.key", "-out", made.authority, "-subj", "/CN=Test", "-days", "2"])
        try await run(
            ["req", "-new", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"] + newKey
                + ["-keyout", made.key, "-out", directory + "/server.csr", "-subj", "/CN=localhost"])
        try await run([
            "x509", "-req", "-in", directory + "/server.csr", "-CA", made.authority, "-CAkey", directory + "/ca.key",
            "-CAcreateserial", "-out", made.certificate, "-days", "2", "-copy_extensions", "copy",
        ])
        return made
    }

    private static func run(_ arguments: [String]) async throws {
        let process = try ServerProcess("/usr/bin/env", ["openssl"] + arguments)
        let status = try await process.waitForExit(timeout: .seconds(60))
        guard status == .exited(0) else { throw PeerError("openssl ended with \(status): \(process.lines)") }
    }
}
