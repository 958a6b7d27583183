/// Cross-origin resource sharing, answered as Express' `cors` answers it.
package struct CORSPolicy: Sendable {
    package enum Origin: Sendable {
        /// CORS is off: no headers, and no other origin is allowed.
        case none
        /// `*`
        case any
        /// These origins, compared byte by byte.
        case list([String])
        case predicate(@Sendable (String) -> Bool)
    }

    /// What a browser asks for in `Access-Control-Request-Headers` is repeated up to this many bytes.
    package static let maxRequestedHeadersBytes = 4096

    package var origin: Origin
    package var credentials: Bool
    package var methods: [String]
    /// Nil: those asked for.
    package var allowedHeaders: [String]?
    package var exposedHeaders: [String]
    /// Seconds that a browser may keep the answer to a preflight.
    package var maxAge: Int?
    /// The status of the answer to a preflight.
    package var optionsSuccessStatus: Int

    package init(
        origin: Origin = .none,
        credentials: Bool = false,
        methods: [String] = ["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"],
        allowedHeaders: [String]? = nil,
        exposedHeaders: [String] = [],
        maxAge: Int? = nil,
        optionsSuccessStatus: Int = 204
    ) {
        self.origin = origin
        self.credentials = credentials
        self.methods = methods
        self.allowedHeaders = allowedHeaders
        self.exposedHeaders = exposedHeaders
        self.maxAge = maxAge
        self.optionsSuccessStatus = optionsSuccessStatus
    }

    /// Whether CORS is configured at all. If not, a preflight is answered like any request with a wrong method.
    package var isEnabled: Bool {
        if case .none = self.origin { false } else { true }
    }

    /// Whether pages of `origin` may use the server.
    package func allows(origin: String) -> Bool {
        switch self.origin {
        case .none: false
        case .any: true
        case .list(let origins): origins.contains { $0.utf8.elementsEqual(origin.utf8) }
        case .predicate(let predicate): predicate(origin)
        }
    }

    /// The headers of a response.
    ///
    /// An origin that is not allowed gets them too, but for `Access-Control-Allow-Origin`: the browser is the one
    /// that refuses.
    ///
    /// - Parameters:
    ///   - requestOrigin: the `Origin` header.
    ///   - isPreflight: the method is OPTIONS.
    ///   - requestedHeaders: the header `Access-Control-Request-Headers`.
    package func headers(
        requestOrigin: String?,
        isPreflight: Bool,
        requestedHeaders: String?
    ) -> [(String, String)] {
        guard self.isEnabled else { return [] }
        var headers: [(String, String)] = []
        var vary: [String] = []
        if case .any = self.origin {
            headers.append(("Access-Control-Allow-Origin", "*"))
        } else {
            if let requestOrigin, RequestOrigin.isValid(requestOrigin), self.allows(origin: requestOrigin) {
                headers.append(("Access-Control-Allow-Origin", requestOrigin))
            }
            vary.append("Origin")
        }
        if isPreflight, self.allowedHeaders == nil { vary.append("Access-Control-Request-Headers") }
        if !vary.isEmpty { headers.append(("Vary", vary.joined(separator: ", "))) }
        if self.credentials { headers.append(("Access-Control-Allow-Credentials", "true")) }
        if isPreflight {
            if !self.methods.isEmpty {
                headers.append(("Access-Control-Allow-Methods", self.methods.joined(separator: ",")))
            }
            let allowed = self.allowedHeaders?.joined(separator: ",") ?? Self.repeatable(requestedHeaders)
            if !allowed.isEmpty { headers.append(("Access-Control-Allow-Headers", allowed)) }
            if let maxAge { headers.append(("Access-Control-Max-Age", String(maxAge))) }
        }
        if !self.exposedHeaders.isEmpty {
            headers.append(("Access-Control-Expose-Headers", self.exposedHeaders.joined(separator: ",")))
        }
        return headers
    }

    /// What comes from a request goes into a response only if it is printable and not too long.
    private static func repeatable(_ requestedHeaders: String?) -> String {
        guard let text = requestedHeaders, text.utf8.count <= Self.maxRequestedHeadersBytes,
            text.utf8.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x09 })
        else { return "" }
        return text
    }
}
