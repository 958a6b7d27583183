import Synchronization
import UnixSignals

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Control-C, or SIGTERM: the first ends the run with its summary, another some time later ends the program.
final class BenchInterruption: Sendable {
    private let flag = Atomic<Bool>(false)

    /// Programs such as `timeout` send a signal twice.
    private static let pause: Duration = .milliseconds(500)

    var hasCome: Bool { self.flag.load(ordering: .relaxed) }

    /// Signals are held from when this returns.
    func listen() async -> Task<Void, Never> {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
        return Task {
            var first: ContinuousClock.Instant?
            for await _ in signals {
                self.flag.store(true, ordering: .relaxed)
                if let first, ContinuousClock.now - first > Self.pause { exit(1) }
                first = first ?? .now
            }
        }
    }
}
