import NIOCore
import Testing

@testable import MessagePack
@testable import SocketIOCore

/// JSON to MessagePack and back without values: the result must be that of the way over values.
@Suite struct TranscodingTests {
    private static let dialects = [MessagePackDialect.notepack3, .msgpackJS]

    @Test(arguments: dialects)
    func vectorsFromJSON(dialect: MessagePackDialect) throws {
        var written = 0
        for vector in try Vectors.list("cases") {
            guard let value = try Vectors.value(try #require(vector["value"])) else { continue }
            if case .double(let number) = value, !number.isFinite { continue }
            let (text, attachments) = try json(value)
            let transcoded = try encode(json: ByteBuffer(string: text), attachments, dialect)
            #expect(hex(transcoded) == hex(try encode(value, dialect)), "\(text)")
            written += 1
        }
        #expect(written == 84)
    }

    @Test func vectorsToJSON() throws {
        var read = 0
        for sample in try Vectors.samples() {
            guard let value = try? decode(sample) else { continue }
            let expected = try json(value)
            let transcoded = try transcode(sample)
            #expect(transcoded.text == expected.text)
            #expect(transcoded.attachments == expected.attachments)
            read += 1
        }
        #expect(read > 250)
    }

    @Test func events() throws {
        // ["e", bin 1, {"a": bin 2, "b": [bin 3]}] behind something that is there already.
        var reader = MessagePackReader(try bytes("93a165c4010182a161c40102a16291c40103c0"))
        var attachments = [ByteBuffer(bytes: [0])]
        var text = ByteBuffer(string: "2")
        try MessagePackTranscoder.json(from: &reader, attachments: &attachments, into: &text)
        #expect(
            String(buffer: text) == """
                2["e",{"_placeholder":true,"num":1},{"a":{"_placeholder":true,"num":2},\
                "b":[{"_placeholder":true,"num":3}]}]
                """)
        #expect(attachments == (0...3).map { ByteBuffer(bytes: [$0]) })
        // Only its value was read.
        #expect(try reader.readNull())
        #expect(reader.isAtEnd)
    }

    @Test func placeholders() throws {
        let data = [ByteBuffer(bytes: [1]), ByteBuffer(bytes: [2, 3])]
        for (text, expected) in [
            (#"[{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]"#, "92c4020203c40101"),
            (#" [ "e" , { "num" : 0 , "_placeholder" : true } , 7 ] "#, "93a165c4010107"),
            // Whatever else the object holds goes with it, and what follows is not shifted.
            (#"[{"a":[[],{"b":{}}],"_placeholder":true,"num":0,"c":[1]},[2,3],{"d":4}]"#, "93c4010192020381a16404"),
            (#"{"_placeholder":true,"num":1.0}"#, "c4020203"),
            (#"{"\u005fplaceholder":true,"n\u0075m":10e-1}"#, "c4020203"),
            // Of repeated keys the last counts.
            (#"{"_placeholder":true,"num":0,"num":1}"#, "c4020203"),
            (
                #"{"_placeholder":true,"num":0,"_placeholder":false}"#,
                "83ac5f706c616365686f6c646572c3a36e756d00ac5f706c616365686f6c646572c2"
            ),
            // No attachment of that number; not true; no keys, but values; not in the same object.
            (#"{"_placeholder":true,"num":2}"#, "82ac5f706c616365686f6c646572c3a36e756d02"),
            (#"{"_placeholder":true,"num":-1}"#, "82ac5f706c616365686f6c646572c3a36e756dff"),
            (#"{"_placeholder":true,"num":0.5}"#, "82ac5f706c616365686f6c646572c3a36e756dcb3fe0000000000000"),
            (#"{"_placeholder":true,"num":99999999999}"#, "82ac5f706c616365686f6c646572c3a36e756dcf000000174876e7ff"),
            (#"{"_placeholder":true,"num":"0"}"#, "82ac5f706c616365686f6c646572c3a36e756da130"),
            (#"{"_placeholder":false,"num":0}"#, "82ac5f706c616365686f6c646572c2a36e756d00"),
            (#"{"_placeholder":{"num":0},"a":true}"#, "82ac5f706c616365686f6c64657281a36e756d00a161c3"),
            (#"["_placeholder",true,"num",0]"#, "94ac5f706c616365686f6c646572c3a36e756d00"),
        ] {
            #expect(try encode(json: text, data) == expected, "\(text)")
            if !text.contains(#""_placeholder":false}"#) {
                var reader = ArgumentReader(
                    value: ByteBuffer(string: String(text.trimmingPrefix(" "))), attachments: data)
                #expect(hex(try encode(reader.nextValue())) == expected, "\(text)")
            }
        }
        // Without attachments an object is an object.
        #expect(
            try encode(json: #"{"_placeholder":true,"num":0}"#) == "82ac5f706c616365686f6c646572c3a36e756d00")
    }

    @Test func numbersInJSON() throws {
        for (text, notepack, javascript) in [
            ("1.0", "01", "01"), ("1e2", "64", "64"), ("-0", "00", "00"), ("-0.0", "00", "00"),
            ("0.5", "cb3fe0000000000000", "cb3fe0000000000000"),
            ("18446744073709551615", "cfffffffffffffffff", "cfffffffffffffffff"),
            ("9223372036854775808", "cf8000000000000000", "cb43e0000000000000"),
            ("18446744073709551616", "cb43f0000000000000", "cb43f0000000000000"),
            ("-9223372036854775808", "d38000000000000000", "cbc3e0000000000000"),
            ("-9223372036854775809", "d38000000000000000", "cbc3e0000000000000"),
            ("9007199254740993", "cf0020000000000001", "cf0020000000000001"),
            ("1e400", "cb7ff0000000000000", "cb7ff0000000000000"),
        ] {
            #expect(try encode(json: text) == notepack, "\(text)")
            #expect(try encode(json: text, [], .msgpackJS) == javascript, "\(text)")
        }
    }

    @Test func stringsInJSON() throws {
        for (text, expected) in [
            (#""""#, "a0"), (#""\"\\\/\b\f\n\r\t""#, "a8225c2f080c0a0d09"), (#""\u00e9\u20AC""#, "a5c3a9e282ac"),
            (#""\ud83d\ude00""#, "a4f09f9880"), (#""😀é€""#, "a9f09f9880c3a9e282ac"),
            // A surrogate without its partner.
            (#""a\ud800b""#, "a561efbfbd62"), (#""\udc00\ud800""#, "a6efbfbdefbfbd"),
            (#""\ud800\u0041""#, "a4efbfbd41"),
            (#"{"\u0061":"[{,:]}"}"#, "81a161a65b7b2c3a5d7d"), (#"["\"]",["\\"]]"#, "92a2225d91a15c"),
        ] {
            #expect(try encode(json: text) == expected, "\(text)")
        }
        let long = String(repeating: "\\n", count: 70_000)
        #expect(try encode(json: "\"\(long)\"") == "db00011170" + String(repeating: "0a", count: 70_000))
        // What is not UTF-8 is repaired, behind escapes as well.
        var broken = ByteBuffer(string: "[\"")
        broken.writeBytes([0xC3, 0x28])
        broken.writeString("\",\"\\n")
        broken.writeBytes([0xED, 0xA0, 0x80])
        broken.writeString("\"]")
        #expect(hex(try encode(json: broken)) == "92a4efbfbd28aa0aefbfbdefbfbdefbfbd")
    }

    @Test func countsInJSON() throws {
        for count in [0, 1, 15, 16, 17, 300] {
            let array = SocketIOValue.array((0..<count).map { .array([.int($0), "a"]) })
            let object = SocketIOValue.object(.init((0..<count).map { ("k\($0)", ["v": .array([])]) }))
            for value in [array, object] {
                #expect(try encode(json: ByteBuffer(string: json(value).text)) == encode(value))
            }
        }
    }

    @Test(arguments: [65_535, 65_536])
    func manyInJSON(count: Int) throws {
        let elements = Array(repeating: "0", count: count).joined(separator: ",")
        let size = count > 65_535 ? "00010000" : "ffff"
        let array = try encode(json: ByteBuffer(string: "[[\(elements)]]"))
        #expect(head(array).hasPrefix("91" + (count > 65_535 ? "dd" : "dc") + size + "00"))
        #expect(array.readableBytes == 2 + size.count / 2 + count)
        let members = elements.replacing("0", with: #""a":0"#)
        let map = try encode(json: ByteBuffer(string: "{\(members)}"))
        #expect(head(map).hasPrefix((count > 65_535 ? "df" : "de") + size + "a16100"))
        #expect(map.readableBytes == 1 + size.count / 2 + count * 3)
    }

    @Test func malformedJSON() throws {
        for text in [
            "", " ", "[", "]", "[1", "[1,]", "[,1]", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "[1}", "{\"a\":1]",
            "1 2",
            "nul", "tru", "\"", "\"\\", "\"\\x\"", "\"\\u12\"", "01", "1.", "-", "+1", "[1]]", "\u{0}", "\"\n\"",
        ] {
            var writer = MessagePackWriter(.notepack3)
            writer.writeNil()
            #expect(code { try writer.writeJSON(ByteBuffer(string: text)) } == .malformedJSON, "\(text)")
            // Nothing was written.
            #expect(hex(writer.buffer) == "c0")
        }
        let deepest = JSONWriter.maxDepth + 2
        let text = String(repeating: "[", count: deepest) + String(repeating: "]", count: deepest)
        let encoded = try encode(json: ByteBuffer(string: text))
        #expect(encoded.readableBytes == deepest)
        for bomb in ["[" + text + "]", String(repeating: "[", count: 1_000_000)] {
            #expect(code { _ = try encode(json: ByteBuffer(string: bomb)) } == .tooDeep)
        }
    }

    @Test func repeatedKeys() throws {
        #expect(try encode(json: #"{"a":1,"a":2}"#) == "82a16101a16102")
        #expect(try transcode(bytes("82a16101a16102")).text == #"{"a":1,"a":2}"#)
    }

    /// Random values: written as values or as JSON, read as values or as JSON, all is the same.
    @Test(arguments: dialects)
    func randomValues(dialect: MessagePackDialect) throws {
        var random = SplitMix64(state: 0xA11)
        for _ in 0..<3000 {
            let value = Self.value(&random, depth: 0)
            let encoded = try encode(value, dialect)
            let (text, attachments) = try json(value)
            let transcoded = try transcode(encoded)
            // What the format keeps of numbers, the text shows.
            let again = try json(try decode(encoded))
            #expect(transcoded.text == again.text)
            #expect(transcoded.attachments == again.attachments)
            #expect(transcoded.attachments == attachments)
            #expect(transcoded.text == text)
            #expect(try encode(json: ByteBuffer(string: text), attachments, dialect) == encoded)
            #expect(try decode(encoded) == value)
        }
    }

    private static func value(_ random: inout SplitMix64, depth: Int) -> SocketIOValue {
        switch Int.random(in: 0..<(depth < 4 ? 10 : 7), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2:
            return .int(Int.random(in: -1 << 53...1 << 53, using: &random) >> Int.random(in: 0..<54, using: &random))
        case 3: return .int(Int(truncatingIfNeeded: random.next()))
        case 4: return .double(Double.random(in: -1000...1000, using: &random))
        case 5:
            let parts = ["a", "é", "€", "😀", "\"", "\\", "\n", "\u{1}", "plain text", "\u{0}"]
            let count = Int.random(in: 0..<40, using: &random)
            return .string((0..<count).map { _ in parts.randomElement(using: &random) ?? "" }.joined())
        case 6: return .binary(ByteBuffer(repeating: 9, count: Int.random(in: 0..<300, using: &random)))
        case 7, 8:
            let count = Int.random(in: 0..<20, using: &random)
            return .array((0..<count).map { _ in Self.value(&random, depth: depth + 2) })
        default:
            let count = Int.random(in: 0..<20, using: &random)
            return .object(.init((0..<count).map { ("k\($0)", Self.value(&random, depth: depth + 2)) }))
        }
    }

    /// Values may look like placeholders: none makes an attachment be written again.
    @Test func anAttachmentIsWrittenOnce() throws {
        let place = #"{"_placeholder":true,"num":0}"#
        let text = ByteBuffer(string: "[" + Array(repeating: place, count: 1000).joined(separator: ",") + "]")
        var writer = MessagePackWriter(.msgpackJS)
        try writer.writeJSON(text, attachments: [ByteBuffer(bytes: [UInt8](repeating: 7, count: 10_000))])
        #expect(writer.buffer.readableBytes < 40_000)
        let values = try #require(try decode(writer.buffer).arrayValue)
        #expect(values.first?.binaryValue?.readableBytes == 10_000)
        #expect(values.dropFirst().allSatisfy { $0 == ["_placeholder": true, "num": 0] })
    }
}
