import NIOCore

/// Encodes one value that is not of a known type, by its own `encode(to:)`.
///
/// Bytes are written in the order of the calls. `Encodable` knows no "end" of a container, so a container stays open
/// until something is written outside of it; who comes back to one that was closed meanwhile (legal, but rare) has the
/// new bytes inserted in front of the closing bracket.
final class EncodingSession {
    /// Where a value stands: at the root, in a container, or what a container or encoder was made for.
    struct Slot {
        enum Kind { case unset, keyed, unkeyed, scalar }

        var kind: Kind
        var isOpen = true
        var parent: Int
        var serial: UInt32
        /// Elements or members written.
        var count = 0
        /// The index of the first byte.
        var start: Int
        /// The index of the closing bracket, once it is written.
        var end = 0
        var key: (any CodingKey)?
    }

    /// Refers to a slot; the serial number tells a slot from a later one in the same place.
    struct SlotID {
        var index: UInt32
        var serial: UInt32
    }

    // One thread uses a session, and no code of others runs while one of these is accessed: checking every access at
    // run time would cost more than the accesses.
    @exclusivity(unchecked) private var writer: JSONWriter
    @exclusivity(unchecked) private var slots: [Slot] = []
    /// The innermost slot that is open. The open ones are this, its parent and so on.
    @exclusivity(unchecked) private var top = -1
    @exclusivity(unchecked) private var serial: UInt32 = 0
    @exclusivity(unchecked) private var depth: Int
    private let basePath: [any CodingKey]
    /// Counts the insertions into closed containers.
    @exclusivity(unchecked) private var insertions = 0
    /// An error after which no consistent text can come out, even if the type encoded swallowed it.
    private var failure: SocketIOError?

    init(writer: JSONWriter, path: [any CodingKey], depth: Int = 0) {
        self.writer = writer
        self.basePath = path
        self.depth = depth
    }

    func takeWriter() -> JSONWriter {
        let writer = self.writer
        self.writer = JSONWriter()
        return writer
    }

    func encodeRoot<T: Encodable>(_ value: T) throws {
        if try self.writer.writeKnown(value) { return }
        try self.encodeNested(value, key: nil, parent: -1)
        if let failure = self.failure { throw failure }
    }

    // MARK: Slots

    private func push(_ kind: Slot.Kind, parent: Int, start: Int, key: (any CodingKey)?) -> SlotID {
        self.serial &+= 1
        self.slots.append(Slot(kind: kind, parent: parent, serial: self.serial, start: start, key: key))
        return SlotID(index: UInt32(truncatingIfNeeded: self.slots.count - 1), serial: self.serial)
    }

    /// The index of the slot, if it still exists and is of this kind.
    private func resolve(_ id: SlotID, _ kind: Slot.Kind) throws(SocketIOError) -> Int {
        let index = Int(id.index)
        guard index < self.slots.count, self.slots[index].serial == id.serial else {
            throw SocketIOError(.encodingFailed, "an encoder was used after its value was encoded")
        }
        guard self.slots[index].kind == kind else {
            throw SocketIOError(.encodingFailed, "an encoder was asked for two kinds of container")
        }
        return index
    }

    /// Writes the closing brackets of everything that is open inside `index`.
    @inline(__always)
    private func close(inside index: Int) {
        while self.top != index, self.top >= 0 { self.closeTop() }
    }

    private func closeTop() {
        let index = self.top
        let position = self.writer.bytes.writerIndex
        self.slots[index].isOpen = false
        self.slots[index].end = position
        self.top = self.slots[index].parent
        switch self.slots[index].kind {
        case .keyed: self.writer.writeByte(Byte.closeObject)
        case .unkeyed: self.writer.writeByte(Byte.closeArray)
        case .scalar: break
        case .unset:
            // A type that encodes nothing.
            self.slots[index].start = position
            self.slots[index].end = position + 1
            self.writer.writeRaw("{}")
        }
    }

    /// Writes what comes in front of the next value in the open container `index`.
    @inline(__always)
    private func separate(_ index: Int, _ key: (any CodingKey)?) {
        let isFirst = self.slots[index].count == 0
        self.slots[index].count &+= 1
        if let key {
            self.writer.writeKey(key.stringValue, isFirst: isFirst)
        } else if !isFirst {
            self.writer.writeByte(Byte.comma)
        }
    }

    /// Lets `value` encode itself at the end of the text, into a new slot that is gone afterwards.
    private func encodeNested<T: Encodable>(_ value: T, key: (any CodingKey)?, parent: Int) throws {
        guard self.depth < JSONWriter.maxDepth else { throw JSONWriter.tooDeep }
        self.depth += 1
        defer { self.depth -= 1 }
        let id = self.push(.unset, parent: parent, start: self.writer.bytes.writerIndex, key: key)
        self.top = Int(id.index)
        try value.encode(to: ValueEncoder(session: self, id: id))
        self.close(inside: parent)
        self.slots.removeSubrange(Int(id.index)...)
    }

    func codingPath(_ id: SlotID) -> [any CodingKey] {
        var path: [any CodingKey] = []
        var index = Int(id.index)
        guard index < self.slots.count, self.slots[index].serial == id.serial else { return self.basePath }
        while index >= 0 {
            if let key = self.slots[index].key { path.append(key) }
            index = self.slots[index].parent
        }
        return self.basePath + path.reversed()
    }

    // MARK: Values in containers

    /// Writes a value into the container `id`.
    func encode<T: Encodable>(
        _ value: T,
        key: (any CodingKey)?,
        in id: SlotID,
        _ kind: Slot.Kind
    ) throws {
        let index = try self.resolve(id, kind)
        guard self.slots[index].isOpen else { return try self.insert(value, key: key, into: index, id) }
        self.close(inside: index)
        // Someone may catch an error and go on: then nothing of the failed value must stay.
        let mark = self.writer.bytes.writerIndex
        let attachments = self.writer.attachments.count
        let slots = self.slots.count
        let insertions = self.insertions
        self.separate(index, key)
        do {
            if try self.writer.writeKnown(value) { return }
            let pathKey = key ?? AnyKey(index: self.slots[index].count - 1)
            try self.encodeNested(value, key: pathKey, parent: index)
        } catch {
            if self.insertions != insertions {
                self.failure = SocketIOError(.encodingFailed, "can't go on after an error in \(T.self)", cause: error)
            } else {
                self.slots.removeSubrange(min(slots, self.slots.count)...)
                self.slots[index].count -= 1
                self.top = index
                self.writer.bytes.moveWriterIndex(to: mark)
                self.writer.attachments.removeSubrange(min(attachments, self.writer.attachments.count)...)
            }
            throw error
        }
    }

    func encodeNil(key: (any CodingKey)?, in id: SlotID, _ kind: Slot.Kind) throws {
        let index = try self.resolve(id, kind)
        guard self.slots[index].isOpen else {
            return try self.insert(SocketIOValue.null, key: key, into: index, id)
        }
        self.close(inside: index)
        self.separate(index, key)
        self.writer.writeNull()
    }

    func count(_ id: SlotID) -> Int {
        (try? self.resolve(id, .unkeyed)).map { self.slots[$0].count } ?? 0
    }

    /// Begins a container, or a value to be encoded later (`kind` unset), inside the container `id`.
    func nested(_ kind: Slot.Kind, key: (any CodingKey)?, in id: SlotID, _ outer: Slot.Kind) -> SlotID {
        guard let index = try? self.resolve(id, outer) else {
            // The calls that lead here can't throw; a slot that does not exist does so at the next call.
            return SlotID(index: .max, serial: 0)
        }
        let pathKey = key ?? AnyKey(index: self.slots[index].count)
        guard self.slots[index].isOpen else {
            var piece = JSONWriter()
            self.separate(index, key, in: &piece)
            let start = self.slots[index].end + piece.bytes.readableBytes
            piece.writeRaw(kind == .unkeyed ? "[]" : "{}")
            self.insert(piece.bytes, into: index)
            let nested = self.push(kind, parent: index, start: start, key: pathKey)
            self.slots[Int(nested.index)].isOpen = false
            self.slots[Int(nested.index)].end = start + 1
            return nested
        }
        self.close(inside: index)
        self.separate(index, key)
        let nested = self.push(kind, parent: index, start: self.writer.bytes.writerIndex, key: pathKey)
        self.top = Int(nested.index)
        if kind == .keyed { self.writer.writeByte(Byte.openObject) }
        if kind == .unkeyed { self.writer.writeByte(Byte.openArray) }
        return nested
    }

    // MARK: Values of encoders

    /// Makes a container of what the encoder with slot `id` encodes; asking twice continues the same container.
    func begin(_ kind: Slot.Kind, _ id: SlotID) {
        // An error shows at the first use of the container.
        guard let index = try? self.resolve(id, .unset) else { return }
        self.slots[index].kind = kind
        if self.slots[index].isOpen {
            self.close(inside: index)
            self.slots[index].start = self.writer.bytes.writerIndex
            self.writer.writeByte(kind == .keyed ? Byte.openObject : Byte.openArray)
        } else if kind == .unkeyed {
            self.writer.bytes.setInteger(Byte.openArray, at: self.slots[index].start)
            self.writer.bytes.setInteger(Byte.closeArray, at: self.slots[index].end)
        }
    }

    /// Writes the only value of the encoder with slot `id`.
    func encodeSingle<T: Encodable>(_ value: T, _ id: SlotID) throws {
        let index = try self.resolve(id, .unset)
        guard self.slots[index].isOpen else {
            let piece = try self.encodeDetached(value, prefix: JSONWriter(), path: self.codingPath(id))
            self.slots[index].kind = .scalar
            self.replace(at: self.slots[index].start, count: 2, with: piece)
            return
        }
        self.close(inside: index)
        if try self.writer.writeKnown(value) {
            self.slots[index].kind = .scalar
            return
        }
        guard self.depth < JSONWriter.maxDepth else { throw JSONWriter.tooDeep }
        self.depth += 1
        defer { self.depth -= 1 }
        try value.encode(to: ValueEncoder(session: self, id: id))
    }

    // MARK: Insertion into what was closed

    private func separate(_ index: Int, _ key: (any CodingKey)?, in piece: inout JSONWriter) {
        let isFirst = self.slots[index].count == 0
        self.slots[index].count &+= 1
        if let key {
            piece.writeKey(key.stringValue, isFirst: isFirst)
        } else if !isFirst {
            piece.writeByte(Byte.comma)
        }
    }

    private func insert<T: Encodable>(_ value: T, key: (any CodingKey)?, into index: Int, _ id: SlotID) throws {
        var prefix = JSONWriter()
        let path = self.codingPath(id) + [key ?? AnyKey(index: self.slots[index].count)]
        self.separate(index, key, in: &prefix)
        do {
            self.insert(try self.encodeDetached(value, prefix: prefix, path: path), into: index)
        } catch {
            self.slots[index].count -= 1
            throw error
        }
    }

    /// Encodes into bytes of its own.
    private func encodeDetached<T: Encodable>(
        _ value: T,
        prefix: JSONWriter,
        path: [any CodingKey]
    ) throws -> ByteBuffer {
        var detached = prefix
        detached.binaryMode = self.writer.binaryMode
        detached.attachments = self.writer.attachments
        let count = detached.attachments.count
        let session = EncodingSession(writer: detached, path: path, depth: self.depth + 1)
        try session.encodeRoot(value)
        guard self.writer.attachments.count == count else {
            throw SocketIOError(.encodingFailed, "two encoders were used at the same time")
        }
        let result = session.takeWriter()
        self.writer.attachments = result.attachments
        return result.bytes
    }

    private func insert(_ piece: ByteBuffer, into index: Int) {
        self.replace(at: self.slots[index].end, count: 0, with: piece)
    }

    /// Replaces `count` bytes and moves what the slots behind them know.
    private func replace(at position: Int, count: Int, with piece: ByteBuffer) {
        let rest = position + count
        guard let tail = self.writer.bytes.getSlice(at: rest, length: self.writer.bytes.writerIndex - rest) else {
            return
        }
        self.insertions += 1
        self.writer.bytes.moveWriterIndex(to: position)
        self.writer.bytes.writeImmutableBuffer(piece)
        self.writer.bytes.writeImmutableBuffer(tail)
        let shift = piece.readableBytes - count
        for index in self.slots.indices {
            if self.slots[index].start >= rest { self.slots[index].start += shift }
            if !self.slots[index].isOpen, self.slots[index].end >= rest { self.slots[index].end += shift }
        }
    }
}
