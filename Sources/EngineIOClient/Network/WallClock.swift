#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// For the expiry of cookies.
enum WallClock {
    /// Seconds since 1970.
    static var now: Int64 { Int64(Date().timeIntervalSince1970) }
}
