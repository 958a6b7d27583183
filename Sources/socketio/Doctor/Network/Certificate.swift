import EngineIOCore
import NIOCore
import NIOSSL

/// What is told of a server's certificate.
struct Certificate: Sendable, Equatable {
    /// Seconds since 1970.
    var notBefore: Int64
    var notAfter: Int64
    /// Names and addresses that it is for.
    var names: [String]
    var issuer: String
    var isSelfSigned: Bool

    func isFor(_ host: String) -> Bool {
        let host = host.lowercased()
        return self.names.contains { name in
            let name = name.lowercased()
            if name == host { return true }
            guard name.hasPrefix("*."), let dot = host.firstIndex(of: ".") else {
                return IPAddress(name).map { $0 == IPAddress(host) } ?? false
            }
            return host[dot...] == name.dropFirst()
        }
    }
}

extension Certificate {
    init(_ certificate: NIOSSLCertificate) {
        self.notBefore = Int64(certificate.notValidBefore)
        self.notAfter = Int64(certificate.notValidAfter)
        self.names = certificate._subjectAlternativeNames().compactMap { name in
            let bytes = name.contents.withUnsafeBufferPointer { Array($0) }
            switch name.nameType {
            case .dnsName: return String(decoding: bytes, as: UTF8.self)
            case .ipAddress:
                return (try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: 0))?.ipAddress
            default: return nil
            }
        }
        let (subject, issuer) = (certificate.subjectName, certificate.issuerName)
        if self.names.isEmpty { self.names = subject.filter { $0.type == .commonName }.map(\.value) }
        self.issuer = (issuer.first { $0.type == .commonName } ?? issuer.first)?.value ?? "nobody"
        self.isSelfSigned = !subject.isEmpty && subject.map(\.value) == issuer.map(\.value)
    }
}
