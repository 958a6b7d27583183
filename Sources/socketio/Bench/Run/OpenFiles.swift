#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The system's limit of open files, of which each connection is one.
enum OpenFiles {
    /// Allows as many as the system lets this program; returns how many, nil if that can't be found out.
    static func raiseLimit() -> Int? {
        var limit = rlimit()
        #if canImport(Glibc)
            let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
            let resource = RLIMIT_NOFILE
        #endif
        guard getrlimit(resource, &limit) == 0 else { return nil }
        #if canImport(Darwin)
            // It reports no hard limit, but refuses more than this.
            limit.rlim_max = min(limit.rlim_max, rlim_t(OPEN_MAX))
        #endif
        var raised = limit
        raised.rlim_cur = limit.rlim_max
        return Int(clamping: setrlimit(resource, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur)
    }
}
