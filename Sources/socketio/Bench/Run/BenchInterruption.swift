import Synchronization
import UnixSignals

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Control-C, or SIGTERM: the first ends the run with its summary, the second ends the program.
final class BenchInterruption: Sendable {
    private let flag = Atomic<Bool>(false)

    var hasCome: Bool { self.flag.load(ordering: .relaxed) }

    /// Signals are held from when this returns.
    func listen() async -> Task<Void, Never> {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
        return Task {
            for await _ in signals {
                if self.flag.exchange(true, ordering: .relaxed) { exit(1) }
            }
        }
    }
}
