import NIOCore

/// The buffer that all connections of an event loop are read into, one after the other.
final class ReceiveBuffer: @unchecked Sendable {
    static let capacity = 64 << 10
    private var buffer: ByteBuffer?

    func take(_ allocator: ByteBufferAllocator) -> ByteBuffer {
        guard var buffer = self.buffer.take() else { return allocator.buffer(capacity: Self.capacity) }
        buffer.clear()
        return buffer
    }

    func put(_ buffer: ByteBuffer) {
        if buffer.capacity >= Self.capacity { self.buffer = buffer }
    }
}

/// Hands out the buffer of the loop instead of one of each connection: its memory stays in the processor's cache, and an idle
/// connection has none. The first buffer, which NIO keeps for as long as the channel lives, is a small one.
struct SharedReceiveAllocator: RecvByteBufferAllocator {
    private let shared: ReceiveBuffer
    private var isFirst = true

    init(shared: ReceiveBuffer) { self.shared = shared }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        self.isFirst ? allocator.buffer(capacity: 512) : self.shared.take(allocator)
    }

    /// "May grow" makes NIO ask for a buffer at each read; with one message per read it keeps none but the first.
    mutating func record(actualReadBytes: Int) -> Bool {
        self.isFirst = false
        return true
    }
}
