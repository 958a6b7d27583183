/// Checks a head, or the trailers behind a body, line by line, in bytes that may come in pieces: it is given all of them each
/// time and looks at each once.
struct FieldSection: Sendable {
    private enum Kind: Sendable {
        case head
        case trailers
    }

    private let kind: Kind
    private let maxLineBytes: Int
    private let maxBytes: Int
    private let maxFields: Int

    /// Up to here there is no line end that was not seen.
    private var position = 0
    private var lineStart = 0
    private var fields = 0
    private var hasRequestLine = false

    /// Where the request line begins: an empty line in front of it is left out.
    private(set) var start = 0
    private(set) var target = 0..<0
    private(set) var method = RequestHead.Method.other
    private(set) var facts: RequestHead.Facts = []
    private var length = 0
    private var codings: Codings = .none

    private enum Codings: Sendable {
        case none
        case chunked
        /// `chunked` behind others.
        case several
    }

    static func head(_ limits: HTTPLimits) -> FieldSection {
        FieldSection(
            kind: .head, maxLineBytes: limits.maxLineBytes, maxBytes: limits.maxHeadBytes, maxFields: limits.maxFields)
    }

    static func trailers(_ limits: HTTPLimits) -> FieldSection {
        FieldSection(
            kind: .trailers,
            maxLineBytes: limits.maxLineBytes,
            maxBytes: limits.maxTrailerBytes,
            maxFields: limits.maxTrailers
        )
    }

    private init(kind: Kind, maxLineBytes: Int, maxBytes: Int, maxFields: Int) {
        self.kind = kind
        self.maxLineBytes = maxLineBytes
        self.maxBytes = maxBytes
        self.maxFields = maxFields
    }

    /// How the body behind the head is framed; asked once the head is complete.
    var framing: RequestHead.Framing {
        if self.codings == .chunked { return .chunked }
        return self.facts.contains(.hasLength) && self.length > 0 ? .length(self.length) : .none
    }

    /// Goes on with `bytes`, which begin with those of the last call. Returns the index behind the empty line, or nil if it is
    /// not there yet.
    mutating func scan(_ bytes: UnsafeRawBufferPointer) throws(HTTPRequestError) -> Int? {
        while true {
            let index = HTTPBytes.firstControl(in: bytes, from: self.position)
            self.position = index
            guard index - self.lineStart <= self.maxLineBytes, index <= self.maxBytes else { throw .tooLarge }
            guard index < bytes.count else { return nil }
            guard bytes[index] == 0x0D else { throw .badByte }
            guard index + 1 < bytes.count else { return nil }
            guard bytes[index + 1] == 0x0A else { throw .badByte }
            let line = self.lineStart..<index
            self.position = index + 2
            self.lineStart = index + 2
            guard self.position <= self.maxBytes else { throw .tooLarge }
            if try self.end(line, bytes) { return self.position }
        }
    }

    /// A line is complete. Returns whether it is the empty one that ends the section.
    private mutating func end(_ line: Range<Int>, _ bytes: UnsafeRawBufferPointer) throws(HTTPRequestError) -> Bool {
        if self.kind == .head, !self.hasRequestLine {
            if line.isEmpty, self.start == 0 {
                // RFC 9112 §2.2: some clients send one behind a body.
                self.start = self.lineStart
            } else {
                try self.readRequestLine(bytes, line)
                self.hasRequestLine = true
            }
            return false
        }
        if line.isEmpty {
            if self.kind == .head { try self.check() }
            return true
        }
        self.fields += 1
        guard self.fields <= self.maxFields else { throw .tooLarge }
        try self.readField(bytes, line)
        return false
    }

    /// What can be said when all fields are there.
    private func check() throws(HTTPRequestError) {
        guard self.facts.contains(.hasHost) || self.facts.contains(.isHTTP10) else { throw .badHost }
        guard self.codings != .none else { return }
        guard !self.facts.contains(.hasLength), !self.facts.contains(.isHTTP10) else { throw .badTransferEncoding }
        guard self.codings == .chunked else { throw .unsupportedTransferEncoding }
    }

    // MARK: Request line

    private mutating func readRequestLine(
        _ bytes: UnsafeRawBufferPointer, _ line: Range<Int>
    ) throws(HTTPRequestError) {
        var index = line.lowerBound
        while index < line.upperBound, HTTPBytes.isToken(bytes[index]) { index &+= 1 }
        let method = line.lowerBound..<index
        guard !method.isEmpty, index < line.upperBound, bytes[index] == 0x20 else { throw .badRequestLine }
        let start = index + 1
        index = start
        // Tabs and spaces end it; other control characters are in no line.
        while index < line.upperBound, bytes[index] > 0x20 { index &+= 1 }
        self.target = start..<index
        guard !self.target.isEmpty, index < line.upperBound, bytes[index] == 0x20 else { throw .badRequestLine }
        try self.readVersion(bytes, index + 1..<line.upperBound)
        guard let known = RequestMethods.method(bytes, method) else { throw .unknownMethod }
        self.method = known
        guard RequestTarget.isValid(bytes, self.target, method: known) else { throw .badTarget }
    }

    private mutating func readVersion(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws(HTTPRequestError) {
        guard range.count == 8, bytes[range.prefix(5)].elementsEqual("HTTP/".utf8),
            let major = Self.digit(bytes[range.lowerBound + 5]), bytes[range.lowerBound + 6] == UInt8(ascii: "."),
            let minor = Self.digit(bytes[range.lowerBound + 7])
        else { throw .badVersion }
        guard major == 1, minor <= 1 else { throw .unsupportedVersion }
        if minor == 0 { self.facts.insert(.isHTTP10) }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? byte - UInt8(ascii: "0") : nil
    }

    // MARK: Fields

    private mutating func readField(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>) throws(HTTPRequestError) {
        var colon = line.lowerBound
        while colon < line.upperBound, HTTPBytes.isToken(bytes[colon]) { colon &+= 1 }
        guard colon > line.lowerBound, colon < line.upperBound, bytes[colon] == UInt8(ascii: ":") else {
            throw .badField
        }
        let name = line.lowerBound..<colon
        let value = HTTPBytes.trimmed(bytes, colon + 1..<line.upperBound)
        if self.kind == .head {
            try self.note(bytes, name, value)
        } else if Self.isFraming(bytes, name) {
            throw .badTrailer
        }
    }

    private static func isFraming(_ bytes: UnsafeRawBufferPointer, _ name: Range<Int>) -> Bool {
        HTTPBytes.isEqual(bytes, name, "content-length") || HTTPBytes.isEqual(bytes, name, "transfer-encoding")
            || HTTPBytes.isEqual(bytes, name, "host") || HTTPBytes.isEqual(bytes, name, "connection")
            || HTTPBytes.isEqual(bytes, name, "upgrade")
    }

    private mutating func note(
        _ bytes: UnsafeRawBufferPointer, _ name: Range<Int>, _ value: Range<Int>
    ) throws(HTTPRequestError) {
        switch name.count {
        case 4 where HTTPBytes.isEqual(bytes, name, "host"):
            // A comma may stand in a name, but also between two.
            let isOne = bytes[value].allSatisfy { HTTPBytes.isAuthority($0) && $0 != UInt8(ascii: ",") }
            guard self.facts.insert(.hasHost).inserted, isOne else { throw .badHost }
        case 6 where HTTPBytes.isEqual(bytes, name, "origin"):
            self.facts.insert(.hasOrigin)
        case 6 where HTTPBytes.isEqual(bytes, name, "expect"):
            // The digits of the name stay as they are.
            if HTTPBytes.isEqual(bytes, value, "100-continue") { self.facts.insert(.expectsContinue) }
        case 7 where HTTPBytes.isEqual(bytes, name, "upgrade"):
            self.facts.insert(.hasUpgrade)
            HTTPBytes.forEachItem(bytes, value) { item in
                if HTTPBytes.isEqual(bytes, item, "websocket") { self.facts.insert(.namesWebSocket) }
            }
        case 10 where HTTPBytes.isEqual(bytes, name, "connection"):
            HTTPBytes.forEachItem(bytes, value) { item in
                if HTTPBytes.isEqual(bytes, item, "close") { self.facts.insert(.closes) }
                if HTTPBytes.isEqual(bytes, item, "keep-alive") { self.facts.insert(.keepsAlive) }
                if HTTPBytes.isEqual(bytes, item, "upgrade") { self.facts.insert(.asksForUpgrade) }
            }
        case 10 where HTTPBytes.isEqual(bytes, name, "user-agent"):
            self.facts.insert(.hasUserAgent)
        case 14 where HTTPBytes.isEqual(bytes, name, "content-length"):
            guard self.facts.insert(.hasLength).inserted, let length = Self.length(bytes, value) else {
                throw .badContentLength
            }
            self.length = length
        case 17 where HTTPBytes.isEqual(bytes, name, "transfer-encoding"):
            guard self.codings == .none else { throw .badTransferEncoding }
            self.codings = try Self.codings(bytes, value)
        default: break
        }
    }

    private static func length(_ bytes: UnsafeRawBufferPointer, _ value: Range<Int>) -> Int? {
        guard !value.isEmpty else { return nil }
        var length = 0
        for byte in bytes[value] {
            guard let digit = Self.digit(byte) else { return nil }
            let (product, isTooLarge) = length.multipliedReportingOverflow(by: 10)
            let (sum, isStillTooLarge) = product.addingReportingOverflow(Int(digit))
            guard !isTooLarge, !isStillTooLarge else { return nil }
            length = sum
        }
        return length
    }

    /// `chunked` must be the last coding and be there once; without it nobody knows where the body ends.
    private static func codings(
        _ bytes: UnsafeRawBufferPointer, _ value: Range<Int>
    ) throws(HTTPRequestError) -> Codings {
        var count = 0
        var chunked = 0
        var endsWithChunked = false
        HTTPBytes.forEachItem(bytes, value) { item in
            count += 1
            endsWithChunked = HTTPBytes.isEqual(bytes, item, "chunked")
            if endsWithChunked { chunked += 1 }
        }
        guard endsWithChunked, chunked == 1 else { throw .badTransferEncoding }
        // A list with empty items is one that readers may disagree about.
        if count == 1, !HTTPBytes.isEqual(bytes, value, "chunked") { throw .badTransferEncoding }
        return count == 1 ? .chunked : .several
    }
}
