import NIOCore

/// How large the buffer is into which a connection is read. A channel keeps it while it is idle, so it begins small; it grows
/// fast with what comes.
///
/// NIO has one that does the same, but needs an allocation of its own for each channel.
struct ReadBufferSize: RecvByteBufferAllocator {
    /// Enough for the handshake of most clients.
    private static let smallest: UInt32 = 512
    private static let largest: UInt32 = 64 << 10

    private var size = Self.smallest
    private var wasSmall = false

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { allocator.buffer(capacity: Int(self.size)) }

    func nextBufferSize() -> Int? { Int(self.size) }

    mutating func record(actualReadBytes count: Int) -> Bool {
        if count >= Int(self.size), self.size < Self.largest {
            self.size = min(self.size * 4, Self.largest)
            self.wasSmall = false
            return true
        }
        guard count <= Int(self.size / 2), self.size > Self.smallest else {
            self.wasSmall = false
            return false
        }
        // Two in a row.
        if self.wasSmall { self.size /= 2 }
        self.wasSmall.toggle()
        return false
    }
}
