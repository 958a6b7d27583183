import NIOCore

/// The decoder that a type's `init(from:)` sees.
struct ValueDecoder: Decoder {
    let session: DecodingSession
    let node: UInt32

    var codingPath: [any CodingKey] { self.session.codingPath(self.node) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(try KeyedDecoder<Key>(session: self.session, node: self.node))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try UnkeyedDecoder(session: self.session, node: self.node)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { self }
}

extension ValueDecoder: SingleValueDecodingContainer {
    func decodeNil() -> Bool { self.session.node(self.node)?.kind == .null }

    // One generic method is the witness of the requirements for all the primitive types as well.
    func decode<T: Decodable>(_ type: T.Type) throws -> T { try self.session.decode(type, self.node) }
}

/// Reads the elements of an array.
struct UnkeyedDecoder: UnkeyedDecodingContainer {
    // Small enough to live in an existential without a box.
    let session: DecodingSession
    private let array: UInt32
    private var element: UInt32
    private var position: UInt32 = 0

    init(session: DecodingSession, node: UInt32) throws {
        guard session.node(node)?.kind == .array else {
            throw session.error([Any].self, node, expected: "an array")
        }
        self.session = session
        self.array = node
        self.element = node &+ 1
    }

    var codingPath: [any CodingKey] { self.session.codingPath(self.array) }
    var count: Int? { Int(self.session.node(self.array)?.count ?? 0) }
    var currentIndex: Int { Int(self.position) }
    var isAtEnd: Bool { self.position >= self.session.node(self.array)?.count ?? 0 }

    private func current(_ type: Any.Type) throws -> UInt32 {
        guard !self.isAtEnd else {
            throw DecodingError.valueNotFound(
                type,
                DecodingError.Context(
                    codingPath: self.codingPath + [AnyKey(index: self.currentIndex)],
                    debugDescription: "the array has no more elements"
                )
            )
        }
        return self.element
    }

    private mutating func advance() {
        self.position &+= 1
        self.element = self.session.node(self.element)?.next ?? .max
    }

    mutating func decodeNil() throws -> Bool {
        guard self.session.node(try self.current(Any?.self))?.kind == .null else { return false }
        self.advance()
        return true
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let value = try self.session.decode(type, try self.current(type))
        self.advance()
        return value
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        let node = try self.current(KeyedDecodingContainer<Nested>.self)
        let container = try KeyedDecoder<Nested>(session: self.session, node: node)
        self.advance()
        return KeyedDecodingContainer(container)
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let container = try UnkeyedDecoder(session: self.session, node: try self.current([Any].self))
        self.advance()
        return container
    }

    mutating func superDecoder() throws -> any Decoder {
        let decoder = ValueDecoder(session: self.session, node: try self.current((any Decoder).self))
        self.advance()
        return decoder
    }
}

/// Reads the members of an object.
struct KeyedDecoder<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let session: DecodingSession
    private let members: MemberIndex

    init(session: DecodingSession, node: UInt32) throws {
        guard session.node(node)?.kind == .object else {
            throw session.error([String: Any].self, node, expected: "an object")
        }
        self.session = session
        self.members = MemberIndex(session: session, object: node)
    }

    var codingPath: [any CodingKey] { self.session.codingPath(self.members.object) }

    var allKeys: [Key] { self.members.keys(in: self.session).compactMap { Key(stringValue: $0) } }

    func contains(_ key: Key) -> Bool { self.members.value(of: key.stringValue, in: self.session) != nil }

    private func value(_ key: some CodingKey) throws -> UInt32 {
        guard let value = self.members.value(of: key.stringValue, in: self.session) else {
            let context = DecodingError.Context(codingPath: self.codingPath, debugDescription: "the key is missing")
            throw DecodingError.keyNotFound(key, context)
        }
        return value
    }

    func decodeNil(forKey key: Key) throws -> Bool {
        self.session.node(try self.value(key))?.kind == .null
    }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try self.session.decode(type, try self.value(key))
    }

    // Looks the key up once where the default looks three times.
    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        guard let value = self.members.value(of: key.stringValue, in: self.session),
            self.session.node(value)?.kind != .null
        else { return nil }
        return try self.session.decode(type, value)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type,
        forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        KeyedDecodingContainer(try KeyedDecoder<Nested>(session: self.session, node: try self.value(key)))
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try UnkeyedDecoder(session: self.session, node: try self.value(key))
    }

    func superDecoder() throws -> any Decoder {
        ValueDecoder(session: self.session, node: try self.value(AnyKey("super")))
    }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        ValueDecoder(session: self.session, node: try self.value(key))
    }
}

/// Finds the members of an object by name; of a repeated name the last counts, as in JavaScript.
struct MemberIndex {
    let object: UInt32
    /// Indexes of key nodes by hash, with linear probing; empty while searching one after the other is cheaper.
    private var table: [UInt32] = []

    private static var free: UInt32 { .max }
    private static var searchLimit: UInt32 { 8 }

    init(session: DecodingSession, object: UInt32) {
        self.object = object
        guard let count = session.node(object)?.count, count > Self.searchLimit else { return }
        self.table = Array(repeating: Self.free, count: 1 << (Int.bitWidth - (Int(count) * 2 - 1).leadingZeroBitCount))
        var key = object &+ 1
        for _ in 0..<count {
            guard let node = session.node(key), let value = session.node(key &+ 1) else { return }
            self.insert(key, node, session)
            key = value.next
        }
    }

    private mutating func insert(_ key: UInt32, _ node: DecodingSession.Node, _ session: DecodingSession) {
        let isEscaped = node.kind == .escapedKey
        let text = isEscaped ? Array(session.keyText(node).utf8) : []
        session.json.withUnsafeReadableBytes { bytes in
            text.withUnsafeBytes { text in
                let name =
                    isEscaped ? text : UnsafeRawBufferPointer(rebasing: bytes[Int(node.start)..<Int(node.end)])
                self.table[self.slot(of: name, session, bytes)] = key
            }
        }
    }

    /// Where `name` is in the table, or else the free place for it.
    private func slot(
        of name: UnsafeRawBufferPointer,
        _ session: DecodingSession,
        _ bytes: UnsafeRawBufferPointer
    ) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: name)
        let mask = self.table.count - 1
        var slot = hasher.finalize() & mask
        // The table is never more than half full.
        while self.table[slot] != Self.free {
            if let node = session.node(self.table[slot]), Self.matches(node, name, session, bytes) { break }
            slot = (slot + 1) & mask
        }
        return slot
    }

    @inline(__always)
    private static func matches(
        _ node: DecodingSession.Node,
        _ name: UnsafeRawBufferPointer,
        _ session: DecodingSession,
        _ bytes: UnsafeRawBufferPointer
    ) -> Bool {
        if node.kind == .escapedKey { return session.keyText(node).utf8.elementsEqual(name) }
        guard Int(node.end &- node.start) == name.count, Int(node.end) <= bytes.count else { return false }
        for offset in 0..<name.count where bytes[Int(node.start) &+ offset] != name[offset] { return false }
        return true
    }

    /// The node of the value of `name`.
    func value(of name: String, in session: DecodingSession) -> UInt32? {
        var name = name
        return name.withUTF8 { name in
            let name = UnsafeRawBufferPointer(name)
            return session.json.withUnsafeReadableBytes { bytes in
                self.key(name, session, bytes).map { $0 &+ 1 }
            }
        }
    }

    private func key(
        _ name: UnsafeRawBufferPointer,
        _ session: DecodingSession,
        _ bytes: UnsafeRawBufferPointer
    ) -> UInt32? {
        if !self.table.isEmpty {
            let key = self.table[self.slot(of: name, session, bytes)]
            return key == Self.free ? nil : key
        }
        var found: UInt32?
        var key = self.object &+ 1
        for _ in 0..<(session.node(self.object)?.count ?? 0) {
            guard let node = session.node(key), let value = session.node(key &+ 1) else { break }
            if Self.matches(node, name, session, bytes) { found = key }
            key = value.next
        }
        return found
    }

    /// The names in order, each once.
    func keys(in session: DecodingSession) -> [String] {
        let count = session.node(self.object)?.count ?? 0
        var names: [String] = []
        names.reserveCapacity(Int(count))
        var key = self.object &+ 1
        for _ in 0..<count {
            guard let node = session.node(key), let value = session.node(key &+ 1) else { break }
            let name = session.keyText(node)
            // Only the occurrence that counts; the others name the same member again.
            if self.value(of: name, in: session) == key &+ 1 { names.append(name) }
            key = value.next
        }
        return names
    }
}
