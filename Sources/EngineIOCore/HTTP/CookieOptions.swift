/// The cookie that names the session to load balancers.
package struct CookieOptions: Sendable, Equatable {
    package enum SameSite: String, Sendable {
        case strict = "Strict"
        case lax = "Lax"
        case none = "None"
    }

    package let name: String
    package let path: String?
    package let domain: String?
    package let isHTTPOnly: Bool
    package let isSecure: Bool
    package let sameSite: SameSite?
    /// Seconds.
    package let maxAge: Int?

    /// - Throws: ``CookieError`` for a name or attribute that can't be written.
    package init(
        name: String = "io",
        path: String? = "/",
        domain: String? = nil,
        isHTTPOnly: Bool = true,
        isSecure: Bool = false,
        sameSite: SameSite? = .lax,
        maxAge: Int? = nil
    ) throws(CookieError) {
        guard !name.isEmpty, name.utf8.allSatisfy(Self.isTokenByte) else { throw .invalidName }
        if let path, !path.utf8.allSatisfy(Self.isAttributeByte) { throw .invalidPath }
        if let domain, !domain.utf8.allSatisfy(Self.isAttributeByte) { throw .invalidDomain }
        self.name = name
        self.path = path
        self.domain = domain
        self.isHTTPOnly = isHTTPOnly
        self.isSecure = isSecure
        self.sameSite = sameSite
        self.maxAge = maxAge
    }

    /// The value of a `Set-Cookie` header; bytes of `value` that may not stand there are percent-encoded.
    package func header(value: String) -> String {
        var header = "\(self.name)=\(PercentCoding.encode(value))"
        if let maxAge { header += "; Max-Age=\(maxAge)" }
        if let domain { header += "; Domain=\(domain)" }
        if let path { header += "; Path=\(path)" }
        if self.isHTTPOnly { header += "; HttpOnly" }
        if self.isSecure { header += "; Secure" }
        if let sameSite { header += "; SameSite=\(sameSite.rawValue)" }
        return header
    }

    /// A character of a token (RFC 9110 §5.6.2).
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    private static func isAttributeByte(_ byte: UInt8) -> Bool {
        (0x20...0x7E).contains(byte) && byte != UInt8(ascii: ";")
    }
}

/// Why a cookie can't be written.
package enum CookieError: Error, Equatable, Sendable {
    case invalidName
    case invalidPath
    case invalidDomain
}
