import NIOCore

/// Turns the bytes of a connection into requests (RFC 9112), strictly: what two readers might understand differently is an
/// error. Between two requests it holds no memory.
///
/// A head that is there as a whole is checked where it lies and copied once. Of one that comes in pieces each byte is looked at
/// once. Bodies are handed out as slices of what came; nothing of them is kept.
package struct HTTPRequestParser: Sendable {
    package enum Part: Sendable {
        case head(RequestHead)
        case body(ByteBuffer)
        case end
    }

    private enum State: Sendable {
        case head
        /// Bytes of a body that are missing.
        case length(Int)
        case chunkLine(ChunkLine)
        case chunk(Int)
        /// The CR and LF behind a chunk.
        case chunkEnd(hasCR: Bool)
        case trailers
        case end
        case failed(HTTPRequestError)
    }

    private let limits: HTTPLimits
    private var state = State.head
    /// A head or trailers of which a part is missing, and how far they were checked.
    private var partial: [UInt8] = []
    private var section: FieldSection?
    private var extensionBytes = 0

    package init(limits: HTTPLimits = HTTPLimits()) {
        self.limits = limits
    }

    /// Takes the next part off `buffer`; nil when more must come, and then nothing is left in it. Who does not want to go on
    /// leaves the rest where it is. After an error there is nothing but that error.
    package mutating func next(from buffer: inout ByteBuffer) throws(HTTPRequestError) -> Part? {
        do throws(HTTPRequestError) {
            return try self.read(&buffer)
        } catch {
            self.state = .failed(error)
            self.partial = []
            self.section = nil
            throw error
        }
    }

    private mutating func read(_ buffer: inout ByteBuffer) throws(HTTPRequestError) -> Part? {
        while true {
            if case .end = self.state {
                self.state = .head
                return .end
            }
            guard buffer.readableBytes > 0 else { return nil }
            switch self.state {
            case .head:
                guard let head = try self.readHead(&buffer) else { return nil }
                return .head(head)
            case .length(let missing):
                guard let bytes = buffer.readSlice(length: min(missing, buffer.readableBytes)) else { return nil }
                let rest = missing - bytes.readableBytes
                self.state = rest == 0 ? .end : .length(rest)
                return .body(bytes)
            case .chunkLine(let line): try self.readChunkLine(&buffer, line)
            case .chunk(let missing):
                guard let bytes = buffer.readSlice(length: min(missing, buffer.readableBytes)) else { return nil }
                let rest = missing - bytes.readableBytes
                self.state = rest == 0 ? .chunkEnd(hasCR: false) : .chunk(rest)
                return .body(bytes)
            case .chunkEnd(let hasCR):
                guard buffer.readInteger(as: UInt8.self) == (hasCR ? 0x0A : 0x0D) else { throw .badChunk }
                self.state = hasCR ? .chunkLine(ChunkLine()) : .chunkEnd(hasCR: true)
            case .trailers:
                var section = self.section ?? .trailers(self.limits)
                guard try self.readSection(&buffer, &section) != nil else { return nil }
                self.state = .end
            case .end: break
            case .failed(let error): throw error
            }
        }
    }

    private mutating func readHead(_ buffer: inout ByteBuffer) throws(HTTPRequestError) -> RequestHead? {
        var section = self.section ?? .head(self.limits)
        guard let bytes = try self.readSection(&buffer, &section) else { return nil }
        switch section.framing {
        case .none: self.state = .end
        case .length(let length): self.state = .length(length)
        case .chunked:
            self.state = .chunkLine(ChunkLine())
            self.extensionBytes = self.limits.maxExtensionBytes
        }
        return RequestHead(
            bytes: bytes,
            method: section.method,
            framing: section.framing,
            facts: section.facts,
            target: section.target.lowerBound - section.start..<section.target.upperBound - section.start
        )
    }

    /// Takes the bytes of a head or of trailers off `buffer`; returns them when they are complete.
    private mutating func readSection(
        _ buffer: inout ByteBuffer, _ section: inout FieldSection
    ) throws(HTTPRequestError) -> [UInt8]? {
        let before = self.partial.count
        if before == 0 {
            if let end = try Self.scan(buffer, &section) {
                let whole = buffer.readSlice(length: end) ?? ByteBuffer()
                return Array(whole.readableBytesView.dropFirst(section.start))
            }
            self.partial = Array(buffer.readableBytesView)
            buffer = ByteBuffer()
            self.section = section
            return nil
        }
        // More than the limits allow need not be kept to see that it is too much.
        let room = max(0, self.limits.maxHeadBytes + 2 - before)
        self.partial.append(contentsOf: buffer.readableBytesView.prefix(room))
        guard let end = try Self.scan(self.partial, &section) else {
            buffer.moveReaderIndex(forwardBy: self.partial.count - before)
            self.section = section
            return nil
        }
        buffer.moveReaderIndex(forwardBy: end - before)
        let bytes = Array(self.partial[section.start..<end])
        self.partial = []
        self.section = nil
        return bytes
    }

    private static func scan(
        _ buffer: ByteBuffer, _ section: inout FieldSection
    ) throws(HTTPRequestError) -> Int? {
        let result = buffer.withUnsafeReadableBytes { bytes in
            Result { () throws(HTTPRequestError) in try section.scan(bytes) }
        }
        return try result.get()
    }

    private static func scan(
        _ bytes: [UInt8], _ section: inout FieldSection
    ) throws(HTTPRequestError) -> Int? {
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(HTTPRequestError) in try section.scan(bytes) }
        }
        return try result.get()
    }

    private mutating func readChunkLine(_ buffer: inout ByteBuffer, _ line: ChunkLine) throws(HTTPRequestError) {
        var line = line
        while let byte = buffer.readInteger(as: UInt8.self) {
            guard let size = try line.take(byte, extensionBytes: &self.extensionBytes) else { continue }
            self.state = size == 0 ? .trailers : .chunk(size)
            return
        }
        self.state = .chunkLine(line)
    }
}
