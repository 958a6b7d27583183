import NIOCore
import SocketIOCore
import Testing

@testable import MessagePack

@Suite struct WriterTests {
    private static let dialects = [MessagePackDialect.notepack3, .msgpackJS]

    @Test func sizes() throws {
        for (count, header) in [(65_535, "daffff"), (65_536, "db00010000")] {
            let text = try encode(.string(String(repeating: "x", count: count)))
            #expect(head(text).hasPrefix(header))
            #expect(text.readableBytes == header.count / 2 + count)
        }
        for (count, header) in [(65_535, "c5ffff"), (65_536, "c600010000")] {
            let data = try encode(.binary(ByteBuffer(repeating: 1, count: count)))
            #expect(head(data).hasPrefix(header + "01"))
            #expect(data.readableBytes == header.count / 2 + count)
        }
        for (count, header) in [(15, "9f"), (65_535, "dcffff"), (65_536, "dd00010000")] {
            let array = try encode(.array(Array(repeating: .null, count: count)))
            #expect(head(array).hasPrefix(header + "c0"))
            #expect(array.readableBytes == header.count / 2 + count)
        }
        for (count, header) in [(15, "8f"), (16, "de0010"), (65_535, "deffff"), (65_536, "df00010000")] {
            let object = SocketIOValue.Object((0..<count).map { ("\($0)", .null) })
            let map = try encode(.object(object))
            #expect(head(map).hasPrefix(header + "a130c0"))
            #expect(try decode(map) == .object(object))
        }
    }

    @Test func pieces() {
        var writer = MessagePackWriter(.notepack3)
        writer.writeArrayHeader(7)
        writer.writeNil()
        writer.writeBool(true)
        writer.write(-1)
        writer.write(1.5)
        writer.write("é")
        writer.writeBinary(ByteBuffer(bytes: [1]))
        writer.writeMapHeader(0)
        #expect(hex(writer.buffer) == "97c0c3ffcb3ff8000000000000a2c3a9c4010180")
        // No header says what does not fit.
        var headers = MessagePackWriter(.msgpackJS)
        headers.writeArrayHeader(-1)
        headers.writeMapHeader(.max)
        #expect(hex(headers.buffer) == "90dfffffffff")
    }

    /// Beyond 2⁵³ JavaScript rounds; what it can't hold is written in full, so that nothing is lost between servers in
    /// Swift.
    @Test func largeIntegers() throws {
        for (value, notepack, javascript) in [
            (9_007_199_254_740_991, "cf001fffffffffffff", "cf001fffffffffffff"),
            (9_007_199_254_740_992, "cf0020000000000000", "cb4340000000000000"),
            (9_007_199_254_740_993, "cf0020000000000001", "cf0020000000000001"),
            (-9_007_199_254_740_991, "d3ffe0000000000001", "d3ffe0000000000001"),
            (-9_007_199_254_740_992, "d3ffe0000000000000", "cbc340000000000000"),
            (-9_007_199_254_740_993, "d3ffdfffffffffffff", "d3ffdfffffffffffff"),
            (Int.max, "cf7fffffffffffffff", "cf7fffffffffffffff"),
            (Int.min, "d38000000000000000", "cbc3e0000000000000"),
        ] {
            #expect(hex(try encode(.int(value))) == notepack)
            #expect(hex(try encode(.int(value), .msgpackJS)) == javascript)
            #expect(try decode(notepack) == .int(value))
            #expect(try decode(javascript) == .int(value))
        }
        for (value, notepack, javascript) in [
            (0x1p63, "cf8000000000000000", "cb43e0000000000000"),
            (-0x1p63, "d38000000000000000", "cbc3e0000000000000"),
            (0x1p64, "cb43f0000000000000", "cb43f0000000000000"),
            (-0x1p64, "cbc3f0000000000000", "cbc3f0000000000000"),
            (-0x1.8p63, "cbc3e8000000000000", "cbc3e8000000000000"),
            (1e21, "cb444b1ae4d6e2ef50", "cb444b1ae4d6e2ef50"),
            (0x1.fffffffffffffp63, "cffffffffffffff800", "cb43efffffffffffff"),
        ] {
            #expect(hex(try encode(.double(value))) == notepack)
            #expect(hex(try encode(.double(value), .msgpackJS)) == javascript)
            #expect(try decode(notepack).doubleValue == value)
        }
    }

    @Test func numbersWithoutFraction() throws {
        #expect(hex(try encode(.double(1))) == "01")
        #expect(hex(try encode(.double(-129))) == "d1ff7f")
        #expect(hex(try encode(.double(-0.0))) == "00")
        #expect(hex(try encode(.double(-.nan))) == "cb7ff8000000000000")
    }

    /// Every integer of the edges reads back as itself, in the shortest form.
    @Test(arguments: dialects)
    func edges(dialect: MessagePackDialect) throws {
        for bits in 0..<63 {
            for delta in -2...2 {
                for sign in [1, -1] {
                    let value = sign * ((1 << bits) + delta)
                    let encoded = try encode(.int(value), dialect)
                    #expect(try decode(encoded) == .int(value))
                }
            }
        }
    }

    @Test func depth() throws {
        func nested(_ levels: Int) -> SocketIOValue { (0..<levels).reduce(.null) { value, _ in .array([value]) } }
        let deepest = nested(JSONWriter.maxDepth)
        let encoded = try encode(deepest)
        #expect(encoded.readableBytes == JSONWriter.maxDepth + 1)
        #expect(try decode(encoded, maxDepth: .max) == deepest)
        #expect(code { _ = try encode(nested(JSONWriter.maxDepth + 1)) } == .tooDeep)
        let object = (0..<JSONWriter.maxDepth + 1).reduce(SocketIOValue.null) { value, _ in ["a": value] }
        #expect(code { _ = try encode(object) } == .tooDeep)
    }
}
