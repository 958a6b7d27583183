import SocketIOClient

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The time as people read it.
enum WallClock {
    /// Milliseconds since 1970.
    static var milliseconds: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }

    /// `12:34:56.789`, where the user is.
    @Sendable static func timeOfDay(_ milliseconds: Int64) -> String {
        var seconds = time_t(milliseconds / 1000)
        var parts = tm()
        localtime_r(&seconds, &parts)
        func digits(_ value: some BinaryInteger, _ count: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let time = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { digits($0, 2) }.joined(separator: ":")
        return time + "." + digits(milliseconds % 1000, 3)
    }

    /// `2026-01-31T12:00:00.000Z`.
    static func iso8601(_ milliseconds: Int64) -> String {
        withUnsafeTemporaryAllocation(byteCount: 32, alignment: 1) { bytes in
            let count = ISO8601.write(milliseconds, into: bytes)
            return String(decoding: bytes[..<count], as: UTF8.self)
        }
    }
}
