/// The encoder that a type's `encode(to:)` sees.
struct ValueEncoder: Encoder {
    let session: EncodingSession
    let id: EncodingSession.SlotID

    var codingPath: [any CodingKey] { self.session.codingPath(self.id) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        self.session.begin(.keyed, self.id)
        return KeyedEncodingContainer(KeyedEncoder<Key>(session: self.session, id: self.id))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        self.session.begin(.unkeyed, self.id)
        return UnkeyedEncoder(session: self.session, id: self.id)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }
}

extension ValueEncoder: SingleValueEncodingContainer {
    func encodeNil() throws { try self.session.encodeSingle(SocketIOValue.null, self.id) }

    // One generic method is the witness of the requirements for all the primitive types as well.
    func encode<T: Encodable>(_ value: T) throws { try self.session.encodeSingle(value, self.id) }
}

/// Writes the members of an object.
struct KeyedEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let session: EncodingSession
    let id: EncodingSession.SlotID

    var codingPath: [any CodingKey] { self.session.codingPath(self.id) }

    func encodeNil(forKey key: Key) throws { try self.session.encodeNil(key: key, in: self.id, .keyed) }

    func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        try self.session.encode(value, key: key, in: self.id, .keyed)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type,
        forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        let nested = self.session.nested(.keyed, key: key, in: self.id, .keyed)
        return KeyedEncodingContainer(KeyedEncoder<Nested>(session: self.session, id: nested))
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        UnkeyedEncoder(session: self.session, id: self.session.nested(.unkeyed, key: key, in: self.id, .keyed))
    }

    func superEncoder() -> any Encoder {
        ValueEncoder(session: self.session, id: self.session.nested(.unset, key: AnyKey("super"), in: self.id, .keyed))
    }

    func superEncoder(forKey key: Key) -> any Encoder {
        ValueEncoder(session: self.session, id: self.session.nested(.unset, key: key, in: self.id, .keyed))
    }
}

/// Writes the elements of an array.
struct UnkeyedEncoder: UnkeyedEncodingContainer {
    let session: EncodingSession
    let id: EncodingSession.SlotID

    var codingPath: [any CodingKey] { self.session.codingPath(self.id) }
    var count: Int { self.session.count(self.id) }

    func encodeNil() throws { try self.session.encodeNil(key: nil, in: self.id, .unkeyed) }

    func encode<T: Encodable>(_ value: T) throws {
        try self.session.encode(value, key: nil, in: self.id, .unkeyed)
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        let nested = self.session.nested(.keyed, key: nil, in: self.id, .unkeyed)
        return KeyedEncodingContainer(KeyedEncoder<Nested>(session: self.session, id: nested))
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        UnkeyedEncoder(session: self.session, id: self.session.nested(.unkeyed, key: nil, in: self.id, .unkeyed))
    }

    func superEncoder() -> any Encoder {
        ValueEncoder(session: self.session, id: self.session.nested(.unset, key: nil, in: self.id, .unkeyed))
    }
}
