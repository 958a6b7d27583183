import EngineIOClient
import EngineIOCore
import NIOCore
import NIOSSL

/// Takes the steps in order; what one finds decides what the next can look at.
struct Examination {
    struct Options: Sendable {
        /// As the user has written it; valid.
        var url: String
        var path: String?
        var namespace: String?
        var origin: String?
        /// JSON.
        var auth: String?
        var headers: [(String, String)] = []
        /// A PEM file.
        var authorities: String?
        var isInsecure = false
        var waitsForPing = false
        var timeout = Duration.seconds(10)
    }

    let options: Options
    let onFinding: (Finding) -> Void
    private(set) var findings: [Finding] = []
    var namespace = "/"
    /// In milliseconds, of the first session.
    var pingInterval: Int?
    /// Whether requests of a session over polling reach it.
    var holdsPolling = true

    init(options: Options, onFinding: @escaping (Finding) -> Void) {
        self.options = options
        self.onFinding = onFinding
    }

    mutating func run() async {
        do {
            let url = try EngineURL(self.options.url)
            if let target = await self.reach(url) { await self.examine(target) }
        } catch {
            self.note(.failure(.url, SafeText.escape(error.message), "Correct the URL."))
        }
        // Nothing is left out without a word.
        let found = Set(self.findings.map(\.step))
        for step in Step.allCases where !found.contains(step) {
            self.note(.skipped(step, "could not be looked at because of what is wrong above"))
        }
    }

    mutating func note(_ finding: Finding) {
        self.findings.append(finding)
        self.onFinding(finding)
    }

    // MARK: Up to HTTP

    private mutating func reach(_ url: EngineURL) async -> ProbeTarget? {
        let place = URLJudgement.judge(
            self.options.url, url, path: self.options.path, namespace: self.options.namespace)
        self.note(place.finding)
        self.namespace = place.namespace
        let addresses = await self.resolve(url)
        guard let address = await self.connect(addresses, port: url.port) else { return nil }
        var target = ProbeTarget(
            url: url, path: place.path, headers: self.options.headers, address: address, timeout: self.options.timeout)
        guard url.isSecure else {
            self.note(.skipped(.tls, "the URL says \(self.options.url.hasPrefix("ws:") ? "ws" : "http")"))
            return target
        }
        target.tls = await self.secure(address, url)
        return target.tls == nil ? nil : target
    }

    private mutating func resolve(_ url: EngineURL) async -> [SocketAddress] {
        do {
            let addresses = try await Resolver.addresses(
                of: url.host, port: url.port, timeout: self.options.timeout)
            self.note(
                AddressJudgement.dns(
                    url.host, addresses: addresses.compactMap(\.ipAddress),
                    isLiteral: IPAddress(url.host) != nil))
            return addresses
        } catch {
            let failure = error as? Resolver.Failure
            self.note(
                AddressJudgement.dns(
                    url.host, failure: failure ?? Resolver.Failure(isUnknownName: false, words: "\(error)")))
            return []
        }
    }

    private mutating func connect(_ addresses: [SocketAddress], port: Int) async -> SocketAddress? {
        guard !addresses.isEmpty else { return nil }
        var attempts: [(address: String, failure: WireFailure?)] = []
        var chosen: SocketAddress?
        // Hosts of large networks have many, and they are alike.
        for address in addresses.prefix(6) {
            let text = address.ipAddress ?? "\(address)"
            do throws(WireFailure) {
                let connection = try await ProbeConnection.open(address, tls: nil, timeout: self.options.timeout)
                connection.close()
                chosen = chosen ?? address
                attempts.append((text, nil))
            } catch { attempts.append((text, error)) }
        }
        self.note(AddressJudgement.tcp(attempts, port: port))
        return chosen
    }

    private mutating func secure(_ address: SocketAddress, _ url: EngineURL) async -> ProbeTLS? {
        var authorities: [NIOSSLCertificate] = []
        if let file = self.options.authorities {
            do { authorities = try NIOSSLCertificate.fromPEMFile(file) } catch {
                self.note(
                    .failure(.tls, "no certificates can be read from \(SafeText.escape(file))", "Correct --ca."))
                return nil
            }
        }
        let probe = await TLSProbe.run(
            address, host: url.host, authorities: authorities, isInsecure: self.options.isInsecure,
            timeout: self.options.timeout)
        self.note(
            TLSJudgement.judge(
                probe, host: url.host, isInsecure: self.options.isInsecure, now: WallClock.milliseconds / 1000))
        return probe.tls
    }
}
