/// The `Origin` header of a request.
package enum RequestOrigin {
    /// Whether the value could stand in a header: tab, printable ASCII, and bytes from 0x80 on.
    package static func isValid(_ origin: String) -> Bool {
        origin.utf8.allSatisfy { $0 >= 0x80 || (0x20...0x7E).contains($0) || $0 == 0x09 }
    }
}
