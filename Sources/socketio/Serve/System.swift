#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    @preconcurrency import Glibc
#elseif canImport(Musl)
    @preconcurrency import Musl
#endif

/// Has what was printed reach a pipe at once.
func flushStandardOutput() { fflush(nil) }

/// A line on standard error.
func printError(_ line: String) { fputs(line + "\n", stderr) }

enum RandomToken {
    /// 120 bits of the system's random source as 30 hexadecimal digits.
    static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<15).map { _ in
            let byte = UInt8.random(in: 0...255, using: &generator)
            return (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }
}
