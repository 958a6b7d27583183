/// Why something can't be read or written.
package struct MessagePackError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        /// The bytes end within a value, or promise more than there is.
        case truncated
        /// Bytes lie behind the value.
        case trailingBytes
        /// The byte that begins no value, 0xc1.
        case invalidByte
        /// An extension that no library of the Socket.IO world writes, or a timestamp of another size.
        case unknownExtension
        /// The key of a member is nothing that can stand for text.
        case invalidKey
        /// A value is not of the type that was asked for.
        case typeMismatch
        /// Arrays and maps lie deeper inside each other than allowed.
        case tooDeep
        /// A value has more binary data in it than allowed.
        case tooManyAttachments
        /// What should be JSON is none.
        case malformedJSON
    }

    package let code: Code

    package init(_ code: Code) { self.code = code }

    package var description: String { "MessagePack: \(self.code)" }
}
