import NIOCore
import NIOPosix

/// The event loops of all test peers of this process.
///
/// They are not the loops of the server under test, so that a server that blocks a loop cannot stop its peers' timers.
package enum PeerLoops {
    /// Two threads, made at the first use and kept until the process ends.
    package static let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
}
