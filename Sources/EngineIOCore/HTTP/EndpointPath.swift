/// The path that the server answers at.
package struct EndpointPath: Sendable, Equatable {
    /// As compared: with exactly one trailing slash, or without.
    package let value: String

    /// - Parameters:
    ///   - path: loses one trailing slash.
    ///   - addTrailingSlash: whether it then gets one.
    package init(_ path: String, addTrailingSlash: Bool = true) {
        var value = path
        if value.utf8.last == UInt8(ascii: "/") { value.removeLast() }
        if addTrailingSlash { value.append("/") }
        self.value = value
    }

    /// Whether a raw request target is ours: the path is a prefix of it, byte by byte.
    package func matches(_ uri: String) -> Bool {
        uri.utf8.starts(with: self.value.utf8)
    }

    package func matches(_ head: RequestHead) -> Bool { head.targetStarts(with: self.value) }
}
