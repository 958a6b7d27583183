import EngineIOCore
import NIOCore

extension EngineIOServer {
    /// Too many connections; NIO closes the one for which this is thrown.
    private struct TooManyConnections: Error {}

    /// Tells who wants to know that a client has run into a limit.
    package func tell(_ report: EngineIOLimitReport) {
        if let label = EngineLimitLabel(rawValue: report.limit.rawValue) { self.metrics?.exceeded(label) }
        self.configuration.onLimit?(report)
    }

    /// Counts a connection until it ends.
    func count(_ channel: any Channel, _ most: Int) throws {
        guard let text = channel.remoteAddress?.ipAddress, let address = IPAddress(text),
            !self.trustedProxies.contains(where: { $0.contains(address) })
        else { return }
        let group = AddressGroup(address)
        let isAdmitted = self.peers.withLock { peers in
            guard peers.count(of: group) < most else { return false }
            peers.add(group)
            return true
        }
        guard isAdmitted else {
            let limit = EngineIOLimit.maxConnectionsPerAddress
            self.logger.debug(
                "connection refused", metadata: ["socketio.limit": "\(limit)", "socketio.address": "\(text)"])
            self.tell(EngineIOLimitReport(limit, peer: text))
            throw TooManyConnections()
        }
        channel.closeFuture.whenComplete { _ in self.peers.withLock { $0.remove(group) } }
    }
}
