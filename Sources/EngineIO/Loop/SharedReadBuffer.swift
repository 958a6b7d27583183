import NIOCore

/// Has the connections of an event loop read into one buffer, one after the other: its memory stays in the processor's caches,
/// and an idle connection has none.
///
/// Only for users that keep nothing of what they are given; a slice that somebody keeps would cost the loop a new buffer.
struct SharedReadBuffer: RecvByteBufferAllocator {
    static let capacity = 64 << 10

    private let loop: LoopContext

    /// To be called when a channel has been read from before: SwiftNIO keeps the first buffer of a channel for as long as that
    /// lives, and with one read at a time no other.
    static func use(for channel: any Channel, of loop: LoopContext) {
        guard let options = channel.syncOptions else { return }
        try? options.setOption(.recvAllocator, value: SharedReadBuffer(loop: loop))
        try? options.setOption(.maxMessagesPerRead, value: 1)
    }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { self.loop.takeReadBuffer(allocator) }

    /// "It may grow" has SwiftNIO ask for a buffer at each read.
    mutating func record(actualReadBytes: Int) -> Bool { true }
}
