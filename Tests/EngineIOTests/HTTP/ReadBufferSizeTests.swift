import NIOCore
import Testing

@testable import EngineIO

struct ReadBufferSizeTests {
    @Test func growsWithWhatComesAndShrinksAgain() {
        var size = ReadBufferSize()
        #expect(size.buffer(allocator: ByteBufferAllocator()).capacity == 512)
        var seen: [Int] = []
        for _ in 0..<6 {
            let now = size.nextBufferSize() ?? 0
            seen.append(now)
            let grows = size.record(actualReadBytes: now)
            #expect(grows == (now < 65536))
        }
        #expect(seen == [512, 2048, 8192, 32768, 65536, 65536])
        func read(_ count: Int) {
            let grows = size.record(actualReadBytes: count)
            #expect(!grows)
        }
        // More than half keeps it, less than that twice in a row does not.
        read(40_000)
        read(1)
        read(40_000)
        read(1)
        #expect(size.nextBufferSize() == 65536)
        read(1)
        #expect(size.nextBufferSize() == 32768)
        for _ in 0..<40 { read(1) }
        #expect(size.nextBufferSize() == 512)
    }
}
