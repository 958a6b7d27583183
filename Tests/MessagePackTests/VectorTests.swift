import NIOCore
import SocketIOCore
import Testing

@testable import MessagePack

/// The golden cases in both directions.
@Suite struct VectorTests {
    /// What is not written as the library does, because values of Swift can't be such: dates (strings here), functions,
    /// surrogates without a partner, and binary data of types that the library damages.
    private static func isForeign(_ vector: SocketIOValue, _ name: String) -> Bool {
        switch (vector["kind"]?.stringValue, name) {
        case ("Date", _), ("object with toJSON() returning {j:1}", _), ("object with a function property", _),
            ("ArrayBuffer", "msgpackjs"), ("Uint16Array", "notepack3"):
            true
        default: vector["value"]?.stringValue == "a\u{FFFD}b"
        }
    }

    @Test(arguments: [MessagePackDialect.notepack3, .msgpackJS])
    func writing(dialect: MessagePackDialect) throws {
        let name = Vectors.name(dialect)
        var written = 0
        for vector in try Vectors.list("cases") where !Self.isForeign(vector, name) {
            let value = try Vectors.value(try #require(vector["value"]), keepsUndefined: dialect == .msgpackJS)
            // Numbers that do not fit into 64 bits are damaged by notepack.io, and not by us.
            let isHuge = (value?.doubleValue?.magnitude ?? 0) >= 0x1p64
            let expected = try #require(vector[isHuge ? "msgpackjs" : name]?.stringValue)
            #expect(hex(try encode(value ?? .null, dialect)) == expected, "\(vector)")
            written += 1
        }
        #expect(written == 88 - 12 - 2 - 1 - 1)
    }

    @Test(arguments: Vectors.libraries)
    func reading(library: String) throws {
        var read = 0
        for vector in try Vectors.list("cases") {
            guard let encoded = vector[library]?.stringValue, let decoded = vector["\(library)Decoded"] else {
                continue
            }
            var expected = try Vectors.value(try #require(decoded == "same" ? vector["value"] : decoded)) ?? .null
            if vector["value"]?.stringValue == "a\u{FFFD}b" {
                // A surrogate alone: one library joins it with what follows, the other writes three bytes that are no
                // UTF-8, each of which becomes U+FFFD.
                expected = library == "msgpackjs" ? "a\u{FFFD}\u{FFFD}\u{FFFD}b" : "a\u{10062}"
            }
            if decoded == "same", library == "msgpackjs" || library == "notepack2" {
                // There, members that are undefined are kept.
                let tagged = try #require(vector["value"])
                if tagged.objectValue != nil { expected = try Vectors.value(tagged, keepsUndefined: true) ?? .null }
            }
            let value = try decode(encoded)
            if let number = expected.doubleValue, number.magnitude > 0x1p53, number.isFinite {
                // The vectors have the digits that JavaScript gives; integers are read in full.
                #expect(value.doubleValue == number, "\(library) \(encoded): \(value), not \(number)")
            } else {
                #expect(try isSame(value, expected), "\(library) \(encoded): \(value), not \(expected)")
            }
            read += 1
        }
        #expect(read >= 84)
    }

    @Test func foreignForms() throws {
        for vector in try Vectors.list("foreign") {
            let name = try #require(vector["name"]?.stringValue)
            let encoded = try bytes(try #require(vector["bytes"]?.stringValue))
            let result = Result { try decode(encoded) }
            let failure = (try? result.get()) == nil ? code { _ = try result.get() } : nil
            switch name {
            // Here the libraries differ, and none of their encoders writes this.
            case "fixext1 type 1", "ext8 type 5": #expect(failure == .unknownExtension)
            // What notepack.io 2 writes is read as notepack.io 3 reads it.
            case "fixext1 type 0 (notepack 2 undefined)", "fixext8 type 0 (notepack 2 date)",
                "ext8 type 0 (notepack 2 ArrayBuffer)", "timestamp 32", "timestamp 64", "timestamp 96", "invalid utf-8",
                "map with nil key":
                let expected = try Vectors.value(try #require(vector["notepack3"])) ?? .null
                #expect(try result.get() == expected, "\(name)")
            default:
                let expected = try #require(vector["msgpackjs"])
                if expected["exception"] != nil {
                    #expect(failure != nil, "\(name)")
                } else {
                    #expect(try result.get() == Vectors.value(expected), "\(name)")
                }
            }
        }
    }

    @Test func reasons() {
        #expect(code { _ = try decode("c1") } == .invalidByte)
        #expect(code { _ = try decode("0100") } == .trailingBytes)
        #expect(code { _ = try decode("a36162") } == .truncated)
        #expect(code { _ = try decode("") } == .truncated)
        #expect(code { _ = try decode("819000") } == .invalidKey)
        #expect(code { _ = try decode("d6ff000000") } == .truncated)
        #expect(code { _ = try decode("c703ff000000") } == .unknownExtension)
    }

    /// Each beginning of a value is an error, for each way of reading.
    @Test func truncations() throws {
        var tried = 0
        for sample in try Vectors.samples() where (try? decode(sample)) != nil {
            for length in 0..<sample.readableBytes {
                let part = try #require(sample.getSlice(at: 0, length: length))
                #expect(code { _ = try decode(part) } == .truncated)
                #expect(code { _ = try transcode(part) } == .truncated)
                var reader = MessagePackReader(part)
                #expect(code { try reader.skip() } == .truncated)
                tried += 1
            }
        }
        #expect(tried > 3000)
    }

    /// Values written and read from behind other bytes, so that offsets that forget the reader index are found out.
    @Test func positions() throws {
        for sample in try Vectors.samples() {
            guard let value = try? decode(sample) else { continue }
            var buffer = ByteBuffer(bytes: [0xC1, 0x92])
            buffer.writeImmutableBuffer(sample)
            buffer.writeImmutableBuffer(sample)
            buffer.moveReaderIndex(forwardBy: 2)
            var reader = MessagePackReader(buffer, maxDepth: 128)
            let raw = try reader.readRaw()
            #expect(raw == sample)
            let kind = try reader.peekKind()
            #expect(try isSame(try reader.read(), value))
            #expect(reader.isAtEnd)
            #expect(try reader.peekKind() == nil)
            switch value {
            case .null: #expect(kind == .null)
            case .bool: #expect(kind == .bool)
            case .int, .double: #expect(kind == .number)
            case .string: #expect(kind == .string || kind == .date)
            case .binary: #expect(kind == .binary)
            case .array: #expect(kind == .array)
            case .object: #expect(kind == .map)
            }

            var writer = MessagePackWriter(.notepack3, into: ByteBuffer(bytes: [7]))
            try writer.write(value)
            #expect(writer.buffer.getBytes(at: 0, length: 1) == [7])
            #expect(writer.buffer.getSlice(at: 1, length: writer.buffer.readableBytes - 1) == (try encode(value)))
        }
    }
}
