import Synchronization

/// The cookies that a server has set, to be sent back to it: what load balancers keep sessions together with.
///
/// Kept in memory only and for one server. At most 50 cookies of 4 KiB each; the oldest makes room. `Domain` and `SameSite` say
/// nothing here, since only the host that set a cookie is asked again.
package final class CookieJar: Sendable {
    static let maxCookies = 50
    static let maxBytes = 4096

    private let cookies = Mutex<[Cookie]>([])

    package init() {}

    /// Takes the values of `Set-Cookie` headers. What can't be read is ignored.
    ///
    /// - Parameters:
    ///   - requestPath: the path of the request that was answered; the default of `Path`.
    ///   - now: seconds since 1970.
    package func store(_ values: [String], requestPath: String, now: Int64) {
        guard !values.isEmpty else { return }
        self.cookies.withLock { cookies in
            for value in values {
                guard let cookie = Cookie(setCookie: value, requestPath: requestPath, now: now) else { continue }
                let index = cookies.firstIndex { $0.name == cookie.name && $0.path == cookie.path }
                if cookie.isExpired(now: now) {
                    if let index { cookies.remove(at: index) }
                } else if let index {
                    cookies[index] = cookie
                } else {
                    if cookies.count >= Self.maxCookies { cookies.removeFirst() }
                    cookies.append(cookie)
                }
            }
        }
    }

    /// The value of the `Cookie` header of a request, nil if there is nothing to send. Longer paths come first.
    package func header(path: String, isSecure: Bool, now: Int64) -> String? {
        let matching = self.cookies.withLock { cookies in
            cookies.removeAll { $0.isExpired(now: now) }
            return cookies.filter { $0.matches(path: path) && (isSecure || !$0.isSecure) }
        }
        guard !matching.isEmpty else { return nil }
        // `sorted` may change the order of equals.
        let ordered = matching.enumerated().sorted {
            ($0.element.path.utf8.count, -$0.offset) > ($1.element.path.utf8.count, -$1.offset)
        }
        return ordered.map { "\($0.element.name)=\($0.element.value)" }.joined(separator: "; ")
    }

    /// Forgets all.
    package func removeAll() { self.cookies.withLock { $0 = [] } }
}
