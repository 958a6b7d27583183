import Foundation
import NIOCore
import Testing

@testable import SocketIOCore

@Suite struct JSONWriterTests {
    @Test(
        arguments: [
            (0.0, "0"), (-0.0, "0"), (1.0, "1"), (-1.5, "-1.5"), (0.1, "0.1"), (100, "100"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"), (1.5e21, "1.5e+21"), (-1e21, "-1e+21"),
            (123_456_789_012_345_683_968, "123456789012345680000"),
            (1e-6, "0.000001"), (1e-7, "1e-7"), (1.5e-7, "1.5e-7"), (0.00012, "0.00012"),
            (.leastNonzeroMagnitude, "5e-324"),
            (1.7976931348623157e308, "1.7976931348623157e+308"), (1e100, "1e+100"),
            (9_007_199_254_740_992, "9007199254740992"),
            (18_446_744_073_709_551_616, "18446744073709552000"), (0.30000000000000004, "0.30000000000000004"),
            (1_234.5678, "1234.5678"), (4.35, "4.35"), (1.2e16, "12000000000000000"), (Double.nan, "null"),
            (Double.infinity, "null"), (-Double.infinity, "null"),
        ] as [(Double, String)])
    func doubles(_ value: Double, _ expected: String) throws {
        #expect(try json(value) == expected)
        #expect(try json([value]) == "[\(expected)]")
    }

    @Test func integersAndFloats() throws {
        #expect(try json(Int.min) == "-9223372036854775808")
        #expect(try json(UInt64.max) == "18446744073709551615")
        #expect(try json(Int8.min) == "-128")
        #expect(try json([UInt8](0...3)) == "[0,1,2,3]")
        #expect(try json(Float(0.1)) == "0.1")
        #expect(try json(Float(16_777_216)) == "16777216")
        #expect(try json(Float.nan) == "null")
        #expect(try json(Decimal(string: "12345678901234567890.12345")) == "12345678901234567890.12345")
    }

    @Test func strings() throws {
        #expect(try json("") == #""""#)
        #expect(try json("a/b\u{7F}é\u{2028}😀") == "\"a/b\u{7F}é\u{2028}😀\"")
        #expect(try json("\"\\\u{8}\u{9}\u{A}\u{C}\u{D}") == #""\"\\\b\t\n\f\r""#)
        #expect(try json("\u{0}\u{1}\u{B}\u{1F}") == #""\u0000\u0001\u000b\u001f""#)
        // Every position relative to the words in which text is searched.
        for length in 0..<20 {
            for position in 0..<max(1, length) {
                var bytes = [UInt8](repeating: 0x61, count: length)
                if length > 0 { bytes[position] = 0x0A }
                let text = String(decoding: bytes, as: UTF8.self)
                let expected = "\"\(text.replacingOccurrences(of: "\n", with: "\\n"))\""
                #expect(try json(text) == expected)
                #expect(try decode(String.self, expected) == text)
            }
        }
    }

    @Test func knownTypes() throws {
        let url = try #require(URL(string: "https://example.org/a?b=c"))
        #expect(try json(url) == #""https://example.org/a?b=c""#)
        #expect(try decode(URL.self, json(url)) == url)
        let uuid = UUID()
        #expect(try decode(UUID.self, json(uuid)) == uuid)
        #expect(try json(String?.none) == "null")
        #expect(try json(Int?.some(1)) == "1")
        #expect(try json([String?]([nil, "a"])) == #"[null,"a"]"#)
        #expect(try json(["a": 1]) == #"{"a":1}"#)
        #expect(try json([1: true]) == #"{"1":true}"#)
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1_700_000_000_123, "2023-11-14T22:13:20.123Z"),
            (-1, "1969-12-31T23:59:59.999Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (253_402_300_800_000, "+010000-01-01T00:00:00.000Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"), (-62_167_219_200_001, "-000001-12-31T23:59:59.999Z"),
            (8_640_000_000_000_000, "+275760-09-13T00:00:00.000Z"),
            (-8_640_000_000_000_000, "-271821-04-20T00:00:00.000Z"),
        ] as [(Int64, String)])
    func dates(_ milliseconds: Int64, _ expected: String) throws {
        let date = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
        #expect(try json(date) == "\"\(expected)\"")
        #expect(Array(expected.utf8).withUnsafeBytes { ISO8601.parse($0) } == milliseconds)
        let decoded = try decode(Date.self, "\"\(expected)\"")
        #expect(abs(decoded.timeIntervalSince(date)) < 0.0005)
        #expect(try decode(Date.self, "\(milliseconds)") == Date(timeIntervalSince1970: Double(milliseconds) / 1000))
    }

    @Test func datesOutOfRange() throws {
        #expect(try json(Date(timeIntervalSince1970: 8.7e12)) == "null")
        #expect(try json(Date(timeIntervalSince1970: .nan)) == "null")
        #expect(try json(Date(timeIntervalSince1970: .infinity)) == "null")
        // Every day of two cycles of 400 years, there and back.
        var output = [UInt8](repeating: 0, count: 27)
        for day in stride(from: Int64(-146_097), to: 146_097, by: 1) {
            let length = output.withUnsafeMutableBytes { ISO8601.write(day * 86_400_000, into: $0) }
            let parsed = output.withUnsafeBytes { ISO8601.parse(UnsafeRawBufferPointer(rebasing: $0[..<length])) }
            guard parsed == day * 86_400_000 else {
                Issue.record("day \(day)")
                break
            }
        }
    }

    @Test(
        arguments: [
            ("2024-02-29", 1_709_164_800_000), ("2024-02-29T10:00Z", 1_709_200_800_000),
            ("2024-02-29T10:00:01+02:00", 1_709_193_601_000), ("2024-02-29T10:00:01.5-0130", 1_709_206_201_500),
            ("2024-02-29T24:00:00Z", 1_709_251_200_000), ("2024-02-29T10:00:00.123456Z", 1_709_200_800_123),
            ("2023-02-29", nil), ("2024-13-01", nil), ("2024-00-01", nil), ("2024-01-00", nil), ("2024-1-1", nil),
            ("2024-01-01T", nil), ("2024-01-01T10:00", nil), ("2024-01-01T25:00Z", nil), ("2024-01-01T10:60Z", nil),
            ("2024-01-01T10:00:00.Z", nil), ("2024-01-01T10:00:00ZZ", nil), ("-000000-01-01", nil), ("", nil),
            ("T", nil),
            ("+999999-01-01", nil), ("2024-01-01T10:00:00+24:00", nil), ("2024-01-01T24:00:01Z", nil),
        ] as [(String, Int64?)])
    func dateForms(_ text: String, _ expected: Int64?) {
        #expect(Array(text.utf8).withUnsafeBytes { ISO8601.parse($0) } == expected)
    }

    @Test func headroomAndPieces() throws {
        var writer = JSONWriter(reserving: 10, headroom: 3)
        writer.writeRaw("[")
        writer.writeInteger(-12 as Int32)
        writer.writeByte(Byte.comma)
        writer.writeText("raw")
        writer.writeRaw("]")
        // What the headroom holds is the caller's to say.
        #expect(Array(buffer: writer.bytes).dropFirst(3) == ArraySlice("[-12,raw]".utf8))
        writer.binaryMode = .forbidden
        #expect(code { try writer.encode([Data()]) } == .binaryNotAllowed)
    }

    @Test func depth() throws {
        var value = SocketIOValue.null
        for _ in 0..<JSONWriter.maxDepth { value = [value] }
        #expect(try json(value).count == JSONWriter.maxDepth * 2 + 4)
        #expect(code { _ = try json(SocketIOValue.array([value])) } == .nestingTooDeep)

        final class Endless: Encodable {
            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                try container.encode(self)
            }
        }
        #expect(code { _ = try json(Endless()) } == .nestingTooDeep)
        struct Single: Encodable {
            func encode(to encoder: any Encoder) throws {
                var container = encoder.singleValueContainer()
                try container.encode(self)
            }
        }
        #expect(code { _ = try json(Single()) } == .nestingTooDeep)
    }
}
