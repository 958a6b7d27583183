import Foundation
import NIOCore
import Testing

@testable import SocketIOCore

@Suite struct SocketIOValueTests {
    @Test func literalsAndAccessors() {
        let value: SocketIOValue = ["n": 1, "d": 1.5, "s": "x\(1)", "b": true, "a": [nil, 2], "o": [:]]
        #expect(value["n"]?.intValue == 1 && value["n"]?.doubleValue == 1)
        #expect(value["d"]?.doubleValue == 1.5 && value["d"]?.intValue == nil)
        #expect(value["s"]?.stringValue == "x1" && value["s"]?.intValue == nil)
        #expect(value["b"]?.boolValue == true)
        #expect(value["a"]?[0]?.isNull == true && value["a"]?[1] == 2)
        #expect(value["a"]?[2] == nil && value["a"]?[-1] == nil && value["x"] == nil)
        #expect(value["o"]?.objectValue?.isEmpty == true)
        #expect(value.objectValue?.keys == ["n", "d", "s", "b", "a", "o"])
        #expect(SocketIOValue.binary(ByteBuffer(bytes: [1])).binaryValue == ByteBuffer(bytes: [1]))
        #expect(value.description == #"{"n":1,"d":1.5,"s":"x1","b":true,"a":[null,2],"o":{}}"#)
    }

    @Test func equality() {
        #expect(
            SocketIOValue.int(1) == .double(1) && SocketIOValue.int(1).hashValue == SocketIOValue.double(1).hashValue)
        #expect(SocketIOValue.int(0) == .double(-0.0))
        #expect(SocketIOValue.int(.max) != .double(Double(Int.max)))
        #expect(SocketIOValue.int(1) != .bool(true))
        let one: SocketIOValue = ["a": 1, "b": 2]
        let other: SocketIOValue = ["b": 2, "a": 1]
        #expect(one == other && one.hashValue == other.hashValue)
        #expect(one != ["a": 1, "b": 3])
        #expect(one != ["a": 1])
    }

    @Test func objects() {
        var object = SocketIOValue.Object()
        for index in 0..<30 { object["k\(index)"] = .int(index) }
        object["k3"] = "new"
        #expect(object.count == 30 && object[3].key == "k3" && object["k3"] == "new")
        object["k0"] = nil
        #expect(object.count == 29 && object["k0"] == nil && object["k29"] == 29 && object.first?.key == "k1")
        for index in 1..<25 { object.removeValue(forKey: "k\(index)") }
        #expect(object.keys == (25..<30).map { "k\($0)" })
        #expect(object["k27"] == 27)
        object["k1"] = .null
        #expect(object.keys.last == "k1" && object["k1"] == .null)
    }

    @Test func dates() {
        #expect(SocketIOValue(Date(timeIntervalSince1970: 0)) == "1970-01-01T00:00:00.000Z")
        #expect(SocketIOValue(Date(timeIntervalSince1970: .nan)) == .null)
    }

    /// With the coders of others.
    @Test func foreignCoders() throws {
        let value: SocketIOValue = ["a": [1, 1.5, "x", true, nil, ["b": []]]]
        let data = try JSONEncoder().encode(value)
        #expect(try JSONDecoder().decode(SocketIOValue.self, from: data) == value)
        let binary = try JSONEncoder().encode([SocketIOValue.binary(ByteBuffer(bytes: [1, 2, 3]))])
        #expect(String(decoding: binary, as: UTF8.self) == #"["AQID"]"#)
    }

    @Test func asType() throws {
        let value: SocketIOValue = ["street": "x", "number": 1]
        #expect(try value.decode(Address.self) == Address(street: "x", number: 1))
        #expect(try SocketIOValue(encoding: Address(street: "x", number: 1)) == value)
        #expect(code { _ = try value.decode([Int].self) } == .typeMismatch)
        #expect(try SocketIOValue.binary(ByteBuffer(bytes: [1])).decode(Data.self) == Data([1]))
        #expect(try SocketIOValue.null.decode(Int?.self) == nil)
    }

    @Test func roomsAndErrors() {
        let id = 7
        let room: Room = "chat:\(id)"
        #expect(room == Room("chat:7") && room.description == "chat:7")
        let error = SocketIOError(.typeMismatch, "text", cause: CancellationError())
        #expect(error.description == "type_mismatch: text (CancellationError())")
        #expect(SocketIOError(.init(rawValue: "x"), "y").description == "x: y")
    }
}
