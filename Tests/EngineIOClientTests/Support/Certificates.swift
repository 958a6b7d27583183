import Foundation
import NIOSSL
import TestSupport

/// An authority, and certificates that it has signed, in a folder that is removed with the last reference.
final class Certificates: Sendable {
    let folder: String

    private init(folder: String) { self.folder = folder }

    deinit { try? FileManager.default.removeItem(atPath: self.folder) }

    /// `server` is for localhost and 127.0.0.1, `other` for another host, `client` for a client.
    static func make() async throws -> Certificates {
        let folder = NSTemporaryDirectory() + "eioc-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        let certificates = Certificates(folder: folder)
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        var script =
            "set -e; cd '\(folder)'; openssl req -x509 \(key) -keyout ca.key -out ca.pem -subj /CN=Test -days 2\n"
        for (name, names) in [
            ("server", "DNS:localhost,IP:127.0.0.1"), ("other", "DNS:other.example"), ("client", "DNS:client"),
        ] {
            script += """
                openssl req -new \(key) -keyout \(name).key -out \(name).csr -subj /CN=\(name) -addext subjectAltName=\(names)
                openssl x509 -req -in \(name).csr -CA ca.pem -CAkey ca.key -CAcreateserial -out \(name).pem -days 2 \
                -copy_extensions copy

                """
        }
        _ = try await self.run(script)
        return certificates
    }

    /// The pin of a certificate, made by OpenSSL.
    func pin(_ name: String) async throws -> String {
        let script = """
            cd '\(self.folder)'; openssl x509 -in \(name).pem -pubkey -noout | openssl pkey -pubin -outform der \
            | openssl dgst -sha256 -binary | base64; echo done
            """
        return try await Self.run(script).first ?? ""
    }

    private static func run(_ script: String) async throws -> [String] {
        let process = try ServerProcess("/bin/sh", ["-c", script + "\necho finished"])
        let status = try await process.waitForExit(timeout: .seconds(60))
        guard status == .exited(0) else { throw PeerError("openssl ended with \(status): \(process.lines)") }
        // Its last output may be read after its end.
        _ = try await process.waitForLine(containing: "finished")
        return process.lines.filter { $0.stream == .output }.map(\.text)
    }

    func server(_ name: String, asksForCertificate: Bool = false) throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile("\(self.folder)/\(name).pem").map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: "\(self.folder)/\(name).key", format: .pem)))
        if asksForCertificate {
            tls.trustRoots = .file(self.folder + "/ca.pem")
            tls.certificateVerification = .noHostnameVerification
        }
        return tls
    }

    /// Trusts the authority.
    func client(withCertificate: Bool = false) throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .file(self.folder + "/ca.pem")
        if withCertificate {
            tls.certificateChain = try NIOSSLCertificate.fromPEMFile(self.folder + "/client.pem").map {
                .certificate($0)
            }
            tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: self.folder + "/client.key", format: .pem))
        }
        return tls
    }
}
