import Foundation

#if !canImport(Darwin)
    /// Leaves a program that is to be started no descriptor but the first three. SwiftNIO's are inherited otherwise.
    ///
    /// By name: the function is in glibc since 2.34, and no header shows it to Swift.
    package func closeOtherDescriptors(_ actions: inout posix_spawn_file_actions_t) {
        typealias Function = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
        guard let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else { return }
        _ = unsafeBitCast(symbol, to: Function.self)(&actions, 3)
    }
#endif
