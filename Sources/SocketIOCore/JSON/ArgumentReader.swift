import NIOCore

/// The arguments of an event or acknowledgement, read one after the other as the types that a handler asks for.
///
/// A value: a copy reads the same arguments again. It shares the bytes of the packet that it came from.
package struct ArgumentReader: Sendable {
    /// The JSON text around the arguments, checked before.
    private let json: ByteBuffer
    /// The binary data that placeholders in the text refer to.
    package let attachments: [ByteBuffer]
    /// Where the next argument begins; negative when there is none left.
    private var position: Int
    /// How many arguments were read.
    package private(set) var index = 0

    /// A reader without arguments.
    package init() {
        self.json = ByteBuffer()
        self.attachments = []
        self.position = -1
    }

    /// A reader of the elements of an array.
    ///
    /// - Parameters:
    ///   - payload: text that a ``JSONScan`` has accepted, beginning with the bracket of an array.
    ///   - offset: the offset of the bracket, or of the byte behind an element after which reading begins.
    init(payload: ByteBuffer, from offset: Int, attachments: [ByteBuffer]) {
        self.json = payload
        self.attachments = attachments
        self.position = payload.withUnsafeReadableBytes { bytes in
            var end = 0
            return JSONReader(bytes: bytes, attachments: []).next(after: offset, end: &end) ?? -1
        }
    }

    /// A reader of one argument that is the whole text, which a ``JSONWriter`` has written.
    init(value: ByteBuffer, attachments: [ByteBuffer]) {
        self.json = value
        self.attachments = attachments
        self.position = value.readableBytes > 0 ? 0 : -1
    }

    /// A reader of a JSON array from elsewhere.
    ///
    /// - Parameters:
    ///   - array: the text of the array, which is checked here.
    ///   - maxDepth: how many arrays and objects may lie inside each other.
    /// - Throws: ``SocketIOError`` with code `invalid_payload`, `nesting_too_deep` or `illegal_attachments`.
    package init(
        checking array: ByteBuffer,
        attachments: [ByteBuffer] = [],
        maxDepth: Int = 256
    ) throws(SocketIOError) {
        let result = array.withUnsafeReadableBytes {
            JSONScan.scan($0, maxDepth: maxDepth, attachments: attachments.count)
        }
        let summary: JSONScan.Summary
        do { summary = try result.get() } catch { throw SocketIOError(error) }
        guard summary.kind == .array else { throw SocketIOError.invalidPayload }
        self.init(payload: array, from: summary.range.lowerBound, attachments: attachments)
    }

    /// True when every argument was read.
    package var isAtEnd: Bool { self.position < 0 }

    /// Reads the next argument.
    ///
    /// An argument that is missing, or `null`, is `nil` for an optional type.
    /// - Throws: ``SocketIOError`` with code `missing_argument` or `type_mismatch`; the reader then stands where it
    ///   stood before.
    package mutating func next<T: Decodable>(_ type: T.Type = T.self) throws(SocketIOError) -> T {
        guard self.position >= 0 else { return try self.missing(type) }
        return try self.value(as: type)
    }

    /// Reads the next argument whatever it is; `null` if there is none.
    package mutating func nextValue() throws(SocketIOError) -> SocketIOValue {
        try self.next(SocketIOValue.self)
    }

    /// Passes over the next argument, if there is one.
    package mutating func skip() {
        guard self.position >= 0 else { return }
        let start = self.position
        let end = self.json.withUnsafeReadableBytes {
            JSONReader(bytes: $0, attachments: []).end(ofValueAt: start)
        }
        self.advance(to: end)
    }

    /// Reads all arguments that are left.
    package mutating func remainingValues() throws(SocketIOError) -> [SocketIOValue] {
        var values: [SocketIOValue] = []
        while !self.isAtEnd { values.append(try self.nextValue()) }
        return values
    }

    /// Goes on behind the value that ended at `end`.
    @inline(__always)
    private mutating func advance(to end: Int) {
        self.index &+= 1
        self.position = self.json.withUnsafeReadableBytes { bytes in
            var end = end
            return JSONReader(bytes: bytes, attachments: []).next(after: end, end: &end) ?? -1
        }
    }

    private func missing<T: Decodable>(_ type: T.Type) throws(SocketIOError) -> T {
        func null<N: ExpressibleByNilLiteral>(_ type: N.Type) -> T? {
            N.self == T.self ? same(N(nilLiteral: ()), as: T.self) : nil
        }
        guard let optional = type as? any ExpressibleByNilLiteral.Type, let value = null(optional) else {
            throw SocketIOError(.missingArgument, "argument \(self.index) is missing")
        }
        return value
    }
}

extension ArgumentReader: ValueSource {
    @inline(__always)
    mutating func read<Value>(
        _ body: (JSONReader, Int, inout Int) throws(Mismatch) -> Value
    ) throws(SocketIOError) -> Value {
        let start = self.position
        var next = -1
        let result = self.json.withUnsafeReadableBytes { bytes -> Result<Value, Mismatch> in
            let reader = JSONReader(bytes: bytes, attachments: self.attachments)
            do throws(Mismatch) {
                var end = start
                let value = try body(reader, start, &end)
                next = reader.next(after: end, end: &end) ?? -1
                return .success(value)
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let value):
            self.index &+= 1
            self.position = next
            return value
        case .failure(let mismatch):
            throw SocketIOError(
                .typeMismatch,
                "argument \(self.index): expected \(mismatch.expected), found \(mismatch.found)"
            )
        }
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws(SocketIOError) -> T {
        let session = DecodingSession(json: self.json, at: self.position, attachments: self.attachments)
        do {
            let value = try T(from: ValueDecoder(session: session, node: 0))
            self.advance(to: session.end)
            return value
        } catch let error as SocketIOError {
            throw error
        } catch let error as DecodingError {
            throw SocketIOError(.typeMismatch, "argument \(self.index)\(error.summary)", cause: error)
        } catch {
            throw SocketIOError(.typeMismatch, "argument \(self.index): \(T.self) refuses it", cause: error)
        }
    }
}

extension DecodingError {
    /// The path and what is wrong there.
    fileprivate var summary: String {
        let context: Context
        var path: [any CodingKey]
        switch self {
        case .keyNotFound(let key, let inner):
            context = inner
            path = inner.codingPath + [key]
        case .typeMismatch(_, let inner), .valueNotFound(_, let inner), .dataCorrupted(let inner):
            context = inner
            path = inner.codingPath
        @unknown default: return " can't be decoded"
        }
        guard !path.isEmpty else { return ": \(context.debugDescription)" }
        let text = path.map { key in key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)" }.joined()
        return " at \(text.hasPrefix(".") ? String(text.dropFirst()) : text): \(context.debugDescription)"
    }
}

extension SocketIOError {
    /// The reference's words for every payload that is not what it should be.
    static var invalidPayload: SocketIOError { SocketIOError(.invalidPayload, "invalid payload") }

    init(_ failure: JSONScan.Failure) {
        switch failure {
        case .malformed: self = .invalidPayload
        case .tooDeep: self.init(.nestingTooDeep, "invalid payload: nested too deep")
        case .tooManyElements: self.init(.limitExceeded, "invalid payload: too many arguments")
        case .illegalPlaceholder: self.init(.illegalAttachments, "illegal attachments")
        }
    }
}
