import Foundation

/// Raises the limit of open descriptors of this process to the hard limit.
///
/// - Returns: the limit now in force.
@discardableResult
package func raiseDescriptorLimit() throws -> Int {
    var limit = rlimit()
    #if os(Linux)
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
        let resource = RLIMIT_NOFILE
    #endif
    guard getrlimit(resource, &limit) == 0 else { throw PeerError("getrlimit: errno \(errno)") }
    #if !os(Linux)
        // Darwin reports no hard limit but refuses more than this.
        limit.rlim_max = min(limit.rlim_max, rlim_t(OPEN_MAX))
    #endif
    if limit.rlim_cur < limit.rlim_max {
        limit.rlim_cur = limit.rlim_max
        guard setrlimit(resource, &limit) == 0 else { throw PeerError("setrlimit: errno \(errno)") }
    }
    return Int(clamping: limit.rlim_cur)
}

/// Memory of a process that is in RAM, in bytes; of this process without a pid. Linux only.
package func residentBytes(_ pid: Int32 = getpid()) throws -> Int {
    let text = try String(contentsOfFile: "/proc/\(pid)/statm", encoding: .utf8)
    let fields = text.split(separator: " ")
    guard fields.count > 1, let pages = Int(fields[1]) else { throw PeerError("/proc/\(pid)/statm: \(text)") }
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
}

/// Number of open descriptors of a process; of this process without a pid. Linux only.
package func openDescriptors(_ pid: Int32 = getpid()) throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
}
