#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Random words of the system, fetched many at a time: asking for each is a system call. A word is used once and then erased.
///
/// A process that forks without executing another program would share what is in stock with its child.
package struct RandomStock: Sendable, RandomNumberGenerator {
    private var words: [UInt64] = []
    private var used = 0

    /// 256 bytes: what the system gives in one call without ever being interrupted.
    private static let count = 32

    package init() {}

    package mutating func next() -> UInt64 {
        if self.used == self.words.count { self.fill() }
        let word = self.words[self.used]
        self.words[self.used] = 0
        self.used += 1
        return word
    }

    private mutating func fill() {
        if self.words.isEmpty { self.words = Array(repeating: 0, count: Self.count) }
        self.used = 0
        #if canImport(Glibc) || canImport(Musl)
            let isFilled = self.words.withUnsafeMutableBytes { bytes in
                bytes.baseAddress.map { getentropy($0, bytes.count) == 0 } ?? false
            }
            if isFilled { return }
        #endif
        var source = SystemRandomNumberGenerator()
        for index in self.words.indices { self.words[index] = source.next() }
    }
}
