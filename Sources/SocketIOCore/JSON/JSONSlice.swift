import NIOCore

/// A value inside a JSON text that was checked as a whole: looked at in place, decoded only as far as it is asked for.
package struct JSONSlice: Sendable {
    private let text: ByteBuffer
    private let range: Range<Int>

    /// The whole value of a text from elsewhere.
    ///
    /// - Parameter maxDepth: how many arrays and objects may lie inside each other.
    /// - Throws: ``SocketIOError`` with code `invalid_payload` or `nesting_too_deep`.
    package init(checking text: ByteBuffer, maxDepth: Int = 256) throws(SocketIOError) {
        let result = text.withUnsafeReadableBytes { JSONScan.scan($0, maxDepth: maxDepth) }
        do { self.range = try result.get().range } catch { throw SocketIOError(error) }
        self.text = text
    }

    private init(_ text: ByteBuffer, _ range: Range<Int>) {
        self.text = text
        self.range = range
    }

    /// The text of the value.
    package var bytes: ByteBuffer {
        self.text.getSlice(at: self.text.readerIndex + self.range.lowerBound, length: self.range.count) ?? ByteBuffer()
    }

    private var first: UInt8? { self.text.getInteger(at: self.text.readerIndex + self.range.lowerBound) }

    /// The text of a string, if this is one.
    package var string: String? {
        self.text.withUnsafeReadableBytes { bytes in
            JSONReader(bytes: bytes, attachments: []).string(at: self.range.lowerBound).map {
                JSONString.decode(bytes, $0.content, isEscaped: $0.isEscaped)
            }
        }
    }

    /// The number, if this is one without a fraction that fits.
    package var integer: Int? {
        self.text.withUnsafeReadableBytes { bytes in
            JSONReader(bytes: bytes, attachments: []).number(at: self.range.lowerBound).flatMap {
                JSONNumber.integer(bytes, $0)
            }
        }
    }

    /// Whether this is a number.
    package var isNumber: Bool { self.first.map { $0 == Byte.minus || Byte.isDigit($0) } ?? false }

    /// The value, decoded; nil if a number is beyond all bounds.
    package var value: SocketIOValue? {
        self.text.withUnsafeReadableBytes { bytes in
            var end = 0
            return try? JSONReader(bytes: bytes, attachments: []).value(at: self.range.lowerBound, end: &end)
        }
    }

    /// Calls `body` with each member of an object. False if this is none.
    package func forEachMember(_ body: (_ key: String, _ value: JSONSlice) -> Void) -> Bool {
        guard self.first == Byte.openObject else { return false }
        self.text.withUnsafeReadableBytes { bytes in
            let reader = JSONReader(bytes: bytes, attachments: [])
            var end = 0
            var index = self.range.lowerBound
            while let start = reader.next(after: index, end: &end), let key = reader.key(at: start) {
                index = reader.end(ofValueAt: key.value)
                let name = JSONString.decode(bytes, key.content, isEscaped: key.isEscaped)
                body(name, JSONSlice(self.text, key.value..<max(key.value, index)))
            }
        }
        return true
    }

    /// The first element of an array; nil if this is none, or empty.
    package var firstElement: JSONSlice? {
        guard self.first == Byte.openArray else { return nil }
        return self.text.withUnsafeReadableBytes { bytes in
            let reader = JSONReader(bytes: bytes, attachments: [])
            var end = 0
            guard let start = reader.next(after: self.range.lowerBound, end: &end) else { return nil }
            return JSONSlice(self.text, start..<max(start, reader.end(ofValueAt: start)))
        }
    }
}
