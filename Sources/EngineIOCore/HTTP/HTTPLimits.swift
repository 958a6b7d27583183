/// What a request may consist of, its body apart.
package struct HTTPLimits: Sendable {
    /// Bytes of a line: the request line, or a field.
    package var maxLineBytes = 16 << 10
    /// Bytes of a head with all of its line ends.
    package var maxHeadBytes = 64 << 10
    package var maxFields = 128
    /// Bytes of the trailers of a body in chunks.
    package var maxTrailerBytes = 8 << 10
    package var maxTrailers = 32
    /// Bytes of all chunk extensions of a body: whoever sends them with each chunk makes us read much for little.
    package var maxExtensionBytes = 4 << 10

    package init() {}
}
