import NIOCore
import SocketIOCore
import Testing

@testable import MessagePack

@Suite struct ReaderTests {
    @Test func pulling() throws {
        // {"type": 2, "nsp": "/", "data": ["e", bin], "on": true, "none": nil}
        var reader = MessagePackReader(
            try bytes("85a47479706502a36e7370a12fa46461746192a165c40107a26f6ec3a46e6f6e65c0"))
        #expect(try reader.readMapHeader() == 5)
        #expect(try reader.readString() == "type")
        #expect(try reader.readInt() == 2)
        #expect(try reader.readString() == "nsp")
        #expect(try reader.readText() == "/")
        #expect(try reader.readText() == "data")
        #expect(try reader.peekKind() == .array)
        #expect(try reader.readArrayHeader() == 2)
        try reader.skip()
        #expect(try reader.readBinary() == ByteBuffer(bytes: [7]))
        try reader.skip()
        #expect(try !reader.readNull())
        #expect(try reader.readBool())
        #expect(try reader.readString() == "none")
        #expect(try reader.readNull())
        #expect(reader.isAtEnd)
        try reader.expectEnd()
        #expect(code { _ = try reader.readNull() } == .truncated)
    }

    /// A value of another type stays where it is.
    @Test func mismatches() throws {
        for sample in try Vectors.samples() where (try? decode(sample)) != nil {
            var reader = MessagePackReader(sample, maxDepth: 128)
            let kind = try reader.peekKind()
            if kind != .array { #expect(code { _ = try reader.readArrayHeader() } == .typeMismatch) }
            if kind != .map { #expect(code { _ = try reader.readMapHeader() } == .typeMismatch) }
            if kind != .string { #expect(code { _ = try reader.readString() } == .typeMismatch) }
            if kind != .number { #expect(code { _ = try reader.readInt() } == .typeMismatch) }
            if kind != .bool { #expect(code { _ = try reader.readBool() } == .typeMismatch) }
            if kind != .binary { #expect(code { _ = try reader.readBinary() } == .typeMismatch) }
            #expect(try isSame(try reader.read(), try decode(sample)))
        }
        var fraction = MessagePackReader(try bytes("cb3ff8000000000000"))
        #expect(code { _ = try fraction.readInt() } == .typeMismatch)
        var whole = MessagePackReader(try bytes("cb3ff0000000000000"))
        #expect(try whole.readInt() == 1)
    }

    /// Numbers may be names of rooms, and JavaScript makes strings of all keys.
    @Test func texts() throws {
        for (encoded, text) in [
            ("2a", "42"), ("ff", "-1"), ("cb3ff8000000000000", "1.5"), ("cb7ff8000000000000", "NaN"),
            ("cb7ff0000000000000", "Infinity"), ("cbfff0000000000000", "-Infinity"), ("cb444b1ae4d6e2ef50", "1e+21"),
            ("c3", "true"), ("c2", "false"), ("c0", "null"), ("a161", "a"), ("c40161", "a"),
        ] {
            var reader = MessagePackReader(try bytes(encoded))
            #expect(try reader.readText() == text)
            #expect(reader.isAtEnd)
            #expect(try decode("81" + encoded + "07") == [text: 7])
            #expect(try transcode(bytes("81" + encoded + "07")).text == "{\"\(text)\":7}")
        }
        for encoded in ["90", "80", "d6ff00000000"] {
            var reader = MessagePackReader(try bytes(encoded))
            #expect(code { _ = try reader.readText() } == .invalidKey)
            #expect(code { _ = try transcode(bytes("81" + encoded + "07")) } == .invalidKey)
        }
    }

    /// Integers that one library writes as floats keep their digits in JSON.
    @Test func largeFloats() throws {
        #expect(try transcode(bytes("cb43d0000000000000")).text == "4611686018427387904")
        #expect(try transcode(bytes("cb43f0000000000000")).text == "18446744073709552000")
        #expect(try transcode(bytes("cb8000000000000000")).text == "0")
        #expect(try transcode(bytes("ca3fc00000")).text == "1.5")
    }

    @Test func repeatedKeys() throws {
        let value = try decode("83a16101a16202a16103")
        #expect(value == ["a": 3, "b": 2])
        #expect(value.objectValue?.keys == ["a", "b"])
    }

    @Test func dates() throws {
        for (encoded, text) in [
            ("d6ff39457980", "2000-06-13T00:00:00.000Z"),
            ("c704ff39457980", "2000-06-13T00:00:00.000Z"),
            ("d7000000000000000001", "1970-01-01T00:00:00.001Z"),
            ("d700ffffffffffffffff", "1969-12-31T23:59:59.999Z"),
            ("c70cff00000001ffffffffffffffff", "1969-12-31T23:59:59.001Z"),
            ("c70cfffffffffe0000000000000000", "1970-01-01T00:00:04.294Z"),
            ("c8000cff00000000fffff82457de8000", "-271821-04-20T00:00:00.000Z"),
            ("c90000000cff00000000000007dba8218000", "+275760-09-13T00:00:00.000Z"),
        ] {
            #expect(try decode(encoded) == .string(text), "\(encoded)")
            #expect(try transcode(bytes(encoded)).text == "\"\(text)\"")
        }
        // Out of the range of JavaScript's dates: invalid dates, which JSON writes as null.
        for encoded in [
            "d7007fffffffffffffff", "d7008000000000000000", "d700001eb208c2dc0001", "c70cff000f4240000007dba8218000",
            "c70cff000000007fffffffffffffff", "c70cff000000008000000000000000",
        ] {
            #expect(try decode(encoded) == .null, "\(encoded)")
            #expect(try transcode(bytes(encoded)).text == "null")
        }
    }

    @Test func extensionZero() throws {
        #expect(try decode("d40007") == .null)
        #expect(try decode("93d4000001d40000") == [.null, 1, .null])
        #expect(try decode("d5000102") == .binary(ByteBuffer(bytes: [1, 2])))
        #expect(try decode("c70100" + "05") == .binary(ByteBuffer(bytes: [5])))
        #expect(try decode("c708000102030405060708") == .binary(ByteBuffer(bytes: 1...8)))
        #expect(try decode("c80001" + "0005") == .binary(ByteBuffer(bytes: [5])))
        #expect(try decode("c90000000000") == .binary(ByteBuffer()))
        for encoded in ["d40107", "d5ff0000", "c700ff", "c70107" + "00", "d8ff" + String(repeating: "00", count: 16)] {
            #expect(code { _ = try decode(encoded) } == .unknownExtension)
            var reader = MessagePackReader(try bytes(encoded))
            #expect(code { try reader.skip() } == .unknownExtension)
        }
    }

    // MARK: Hostile input

    @Test func lyingLengths() throws {
        for encoded in [
            "ddffffffff", "ddffffffffc0", "dfffffffff", "dfffffffffa161c0", "dbffffffff61", "c6ffffffff61",
            "c9ffffffff00", "c9ffffffffff61", "dcffffc0", "deffffa161c0", "82a161c0a1", "92c0", "dd7fffffff",
            "df80000000c0",
        ] {
            #expect(code { _ = try decode(encoded) } == .truncated, "\(encoded)")
            #expect(code { _ = try transcode(bytes(encoded)) } == .truncated)
            var reader = MessagePackReader(try bytes(encoded))
            #expect(code { try reader.skip() } == .truncated)
        }
        // As many headers as fit, each of which promises all bytes that are left.
        var nested = ByteBuffer()
        for _ in 0..<100_000 { nested.writeMultipleIntegers(0xDD as UInt8, UInt32(1000)) }
        #expect(code { _ = try decode(nested, maxDepth: .max) } == .tooDeep)
        var reader = MessagePackReader(nested)
        #expect(code { try reader.skip() } == .truncated)
    }

    @Test func depthBombs() throws {
        for byte in [0x91, 0x81] as [UInt8] {
            let bomb = ByteBuffer(repeating: byte, count: 1_000_000)
            // A map as key is refused before it is deep.
            let expected: MessagePackError.Code = byte == 0x91 ? .tooDeep : .invalidKey
            #expect(code { _ = try decode(bomb, maxDepth: .max) } == expected)
            #expect(code { _ = try transcode(bomb, maxDepth: .max) } == expected)
            var reader = MessagePackReader(bomb)
            #expect(code { try reader.skip() } == .truncated)
        }
        let maps = String(repeating: "81a161", count: 1000) + "c0"
        #expect(code { _ = try decode(maps, maxDepth: .max) } == .tooDeep)
        #expect(code { _ = try transcode(bytes(maps), maxDepth: .max) } == .tooDeep)
        // What is deep can be gone past nevertheless.
        var reader = MessagePackReader(try bytes(maps))
        try reader.skip()
        #expect(reader.isAtEnd)
    }

    @Test func depthLimits() throws {
        for levels in [1, 2, 64] {
            let arrays = String(repeating: "91", count: levels)
            #expect(throws: Never.self) { try decode(arrays + "c0", maxDepth: levels) }
            #expect(throws: Never.self) { try transcode(bytes(arrays + "c0"), maxDepth: levels) }
            #expect(code { _ = try decode("91" + arrays + "c0", maxDepth: levels) } == .tooDeep)
            #expect(code { _ = try transcode(bytes("91" + arrays + "c0"), maxDepth: levels) } == .tooDeep)
        }
        #expect(try decode("07", maxDepth: -1) == 7)
        #expect(try transcode(bytes("07"), maxDepth: 0).text == "7")
        #expect(code { _ = try transcode(bytes("90"), maxDepth: 0) } == .tooDeep)
        #expect(MessagePackReader(ByteBuffer()).maxDepth == 64)
        #expect(MessagePackReader(ByteBuffer(), maxDepth: .max).maxDepth == MessagePackReader.depthLimit)
    }
}
