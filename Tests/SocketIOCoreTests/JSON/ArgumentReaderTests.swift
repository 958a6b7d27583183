import Foundation
import NIOCore
import Testing

@testable import SocketIOCore

@Suite struct ArgumentReaderTests {
    @Test func missingAndSurplus() throws {
        var arguments = try reader("[1,null]")
        #expect(try arguments.next(Int.self) == 1)
        #expect(try arguments.next(Address?.self) == nil)
        #expect(arguments.isAtEnd)
        #expect(try arguments.next(Address?.self) == nil)
        #expect(try arguments.next(Int?.self) == nil)
        #expect(try arguments.next(SocketIOValue.self) == .null)
        do {
            _ = try arguments.next(Int.self)
            Issue.record("no error")
        } catch {
            #expect(error.code == .missingArgument && error.message == "argument 2 is missing")
        }
        var none = ArgumentReader()
        #expect(none.isAtEnd)
        none.skip()
        #expect(try none.remainingValues() == [])
    }

    @Test func skippingAndCopies() throws {
        var arguments = try reader(#"[ {"a":[1,"]"]} , "\"," ,[[],{}],-1.5e3, true ,null]"#)
        var copy = arguments
        for _ in 0..<3 { arguments.skip() }
        #expect(try arguments.next(Double.self) == -1500)
        #expect(try arguments.next(Bool.self))
        arguments.skip()
        #expect(arguments.isAtEnd && arguments.index == 6)
        #expect(try copy.remainingValues() == [["a": [1, "]"]], "\",", [[], [:]], -1500, true, nil])
    }

    @Test func numbers() throws {
        #expect(try decode(Int.self, "9223372036854775807") == .max)
        #expect(try decode(Int.self, "-9223372036854775808") == .min)
        #expect(try decode(UInt64.self, "18446744073709551615") == .max)
        #expect(try decode(Int.self, "1.0") == 1)
        #expect(try decode(Int.self, "1e3") == 1000)
        #expect(try decode(Int.self, "-0") == 0)
        #expect(try decode(UInt8.self, "255") == 255)
        #expect(try decode(Float.self, "0.1") == 0.1)
        #expect(try decode(Double.self, "1e400") == .infinity)
        #expect(try decode(Double.self, "1e-400") == 0)
        #expect(try decode(Double.self, "-0").sign == .minus)
        for text in ["123456789012345678901234567890", "0.1234567890123456789", "2.2250738585072011e-308"] {
            #expect(try decode(Double.self, text) == Double(text))
        }
        #expect(try decode(Double.self, "9007199254740993") == 9_007_199_254_740_992)
        #expect(try decode(Decimal.self, "12345678901234567890.5") == Decimal(string: "12345678901234567890.5"))
        #expect(try decode([Double].self, "[1,2.5,1e2]") == [1, 2.5, 100])
        for text in ["9223372036854775808", "1.5", "1e400", "\"1\"", "true", "null", "[1]", "1e-1"] {
            #expect(code { _ = try decode(Int.self, text) } == .typeMismatch, "\(text)")
        }
        for text in ["256", "-1", "300.0"] {
            #expect(code { _ = try decode(UInt8.self, text) } == .typeMismatch, "\(text)")
        }
    }

    /// Numbers as this package writes them come back bit for bit.
    @Test func doublesRoundTrip() throws {
        var random = SplitMix64(state: 42)
        for _ in 0..<20_000 {
            let value = Double(bitPattern: random.next())
            guard value.isFinite else { continue }
            let text = try json(value)
            guard try decode(Double.self, text) == value, Double(text) == value else {
                Issue.record("\(value) became \(text)")
                return
            }
        }
    }

    @Test func strings() throws {
        #expect(try decode(String.self, #""\u00e9\ud83d\ude00\/\b\f\n\r\t\"\\""#) == "é😀/\u{8}\u{C}\n\r\t\"\\")
        #expect(try decode(String.self, #""\ud800""#) == "\u{FFFD}")
        #expect(try decode(String.self, #""\udc00x\ud800\ud800\udc00""#) == "\u{FFFD}x\u{FFFD}\u{10000}")
        #expect(try decode(String.self, #""\ud800\n""#) == "\u{FFFD}\n")
        #expect(try decode(String.self, #""\u0000""#) == "\0")
        #expect(try decode([String].self, #"["a","\n",""]"#) == ["a", "\n", ""])
        // Not UTF-8: repaired, never a crash.
        var bytes = ByteBuffer(string: "[\"")
        bytes.writeBytes([0xFF, 0xC3, 0x28, 0xF0])
        bytes.writeString("\",\"\\n")
        bytes.writeBytes([0xE2])
        bytes.writeString("\"]")
        var arguments = try ArgumentReader(checking: bytes)
        #expect(try arguments.next(String.self).hasPrefix("\u{FFFD}"))
        #expect(try arguments.next(String.self) == "\n\u{FFFD}")
    }

    @Test func binary() throws {
        let one = ByteBuffer(bytes: [1, 2, 3])
        let placeholder = #"{"_placeholder":true,"num":0}"#
        #expect(try decode(Data.self, placeholder, [one]) == Data([1, 2, 3]))
        #expect(try decode(ByteBuffer.self, #"{"x":1,"num":0,"_placeholder":true}"#, [one]) == one)
        #expect(try decode([Data?].self, "[\(placeholder),null]", [one]) == [Data([1, 2, 3]), nil])
        #expect(try decode(SocketIOValue.self, "[\(placeholder)]", [one]) == [.binary(one)])
        // Without attachments it is an object like any other.
        #expect(try decode(SocketIOValue.self, placeholder) == ["_placeholder": true, "num": 0])
        #expect(code { _ = try decode(Data.self, placeholder) } == .typeMismatch)
        #expect(code { _ = try decode(Data.self, "\"AQID\"") } == .typeMismatch)
        #expect(code { _ = try decode(Data.self, #"{"_placeholder":true,"num":1}"#, [one]) } == .illegalAttachments)
        #expect(code { _ = try decode(String.self, placeholder, [one]) } == .typeMismatch)
    }

    @Test func mismatchesNameThePlace() throws {
        func message<T: Decodable>(_ type: T.Type, _ array: String) -> String? {
            do {
                var arguments = try reader(array)
                arguments.skip()
                let before = arguments
                do {
                    _ = try arguments.next(type)
                    return nil
                } catch {
                    // The reader stands where it stood.
                    #expect(arguments.index == before.index && !arguments.isAtEnd)
                    return error.message
                }
            } catch {
                return nil
            }
        }
        #expect(message(String.self, "[0,1]") == "argument 1: expected a string, found a number")
        #expect(message(Address.self, "[0,[]]") == "argument 1: expected an object, found an array")
        #expect(message(Address.self, "[0,{}]") == "argument 1 at street: the key is missing")
        #expect(
            message([String: [Address]].self, #"[0,{"z":[],"a\n":[{"street":"x"},{"street":[]}]}]"#)
                == "argument 1 at a\n[1].street: expected a string, found an array"
        )
        #expect(message([[Int]].self, "[0,[[1],[2,null]]]")?.contains("at [1]: expected an integer") == true)
        #expect(message(Level.self, #"[0,"middle"]"#)?.hasPrefix("argument 1") == true)
    }

    @Test func duplicateKeys() throws {
        #expect(try decode(Address.self, #"{"street":"a","street":"b"}"#).street == "b")
        #expect(try decode([String: Int].self, #"{"a":1,"b":2,"a":3}"#) == ["a": 3, "b": 2])
        #expect(try decode([String: Int].self, #"{"a":1,"\u0061":3}"#) == ["a": 3])
        let value = try decode(SocketIOValue.self, #"{"a":1,"b":2,"a":3}"#)
        #expect(value.objectValue?.keys == ["a", "b"] && value["a"] == 3)
        // The same with so many keys that they are found through a table.
        let members = (0..<100).map { "\"k\($0 % 50)\":\($0),\"\\u0065\($0 % 10)\":\($0)" }.joined(separator: ",")
        let decoded = try decode([String: Int].self, "{\(members)}")
        #expect(decoded.count == 60)
        #expect((0..<50).allSatisfy { decoded["k\($0)"] == $0 + 50 })
        #expect((0..<10).allSatisfy { decoded["e\($0)"] == $0 + 90 })
    }

    @Test func largeObjects() throws {
        let count = 10_000
        let text = "{" + (0..<count).map { "\"key\($0)\":\($0)" }.joined(separator: ",") + "}"
        let decoded = try decode([String: Int].self, text)
        #expect(decoded.count == count && decoded["key9999"] == 9999)
        let value = try decode(SocketIOValue.self, text)
        #expect(value.objectValue?.count == count && value["key1234"] == 1234)
        #expect(value.objectValue?.keys.last == "key9999")

        struct Sparse: Decodable { var key5: Int, key9999: Int, key10000: Int? }
        let sparse = try decode(Sparse.self, text)
        #expect(sparse.key5 == 5 && sparse.key9999 == 9999 && sparse.key10000 == nil)
    }

    /// One entry per value and key however deep they lie: nothing is read again for each level.
    @Test func layoutIsLinear() throws {
        for depth in [1, 10, 200] {
            let text = String(repeating: #"{"a":["#, count: depth) + "1" + String(repeating: "]}", count: depth)
            let session = DecodingSession(json: ByteBuffer(string: text), at: 0, attachments: [])
            #expect(session.nodes.count == 3 * depth + 1)
            #expect(session.end == text.utf8.count)
            #expect(session.nodes.allSatisfy { $0.next <= UInt32(session.nodes.count) })
        }
    }

    @Test func recursiveTypes() throws {
        final class Node: Codable {
            var children: [Node]
            init(_ children: [Node]) { self.children = children }
        }
        var root = Node([])
        for _ in 0..<100 { root = Node([root]) }
        var decoded = try decode(Node.self, try json(root))
        var depth = 0
        while let child = decoded.children.first {
            decoded = child
            depth += 1
        }
        #expect(depth == 100)
    }

    @Test func wholeText() {
        #expect(code { _ = try reader("{}") } == .invalidPayload)
        #expect(code { _ = try reader("[1") } == .invalidPayload)
        #expect(code { _ = try ArgumentReader(checking: ByteBuffer(string: "[[]]"), maxDepth: 1) } == .nestingTooDeep)
    }
}
