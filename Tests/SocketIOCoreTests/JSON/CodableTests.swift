import Foundation
import NIOCore
import Testing

@testable import SocketIOCore

struct Address: Codable, Equatable, Sendable {
    var street: String
    var number: Int?
}

enum Shape: Codable, Equatable, Sendable {
    case circle(radius: Double)
    case named(String, Int)
    case none
}

enum Level: String, Codable, Sendable { case low, high }

struct Person: Codable, Equatable, Sendable {
    var name: String
    var age: UInt8
    var height: Float
    var isActive: Bool
    var nickname: String?
    var addresses: [Address]
    var shapes: [String: Shape]
    var level: Level
    var levels: [Level]
    var scores: [Int: [Double]]
    var birth: Date
    var photo: Data?
    var site: URL?
    var anything: SocketIOValue
    var nested: [[Int?]]
    var set: Set<Int>
    var range: ClosedRange<Int>
}

class Animal: Codable {
    var legs: Int
    init(legs: Int) { self.legs = legs }
}

/// Writes its own members into the container of its superclass.
class Cat: Animal {
    var name: String
    enum CodingKeys: String, CodingKey { case name }

    init(legs: Int, name: String) {
        self.name = name
        super.init(legs: legs)
    }

    required init(from decoder: any Decoder) throws {
        self.name = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .name)
        try super.init(from: decoder)
    }

    override func encode(to encoder: any Encoder) throws {
        try super.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.name, forKey: .name)
    }
}

/// Gives its superclass an encoder of its own, and uses that late.
final class Dog: Animal {
    var name: String
    enum CodingKeys: String, CodingKey { case name, base }

    init(legs: Int, name: String) {
        self.name = name
        super.init(legs: legs)
    }

    required init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.name = try container.decode(String.self, forKey: .name)
        try super.init(from: try container.superDecoder(forKey: .base))
    }

    override func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        let base = container.superEncoder(forKey: .base)
        try container.encode(self.name, forKey: .name)
        try super.encode(to: base)
    }
}

@Suite struct CodableTests {
    static let person = Person(
        name: "Zoë \"Z\"",
        age: 33,
        height: 1.75,
        isActive: true,
        nickname: nil,
        addresses: [Address(street: "Main\n", number: 1), Address(street: "", number: nil)],
        shapes: ["a": .circle(radius: 1.5), "b": .named("x", 2), "c": .none],
        level: .high,
        levels: [.low, .high],
        scores: [1: [1, 2.5], 2: []],
        birth: Date(timeIntervalSince1970: 1_700_000_000.5),
        photo: Data([1, 2, 3]),
        site: URL(string: "https://example.org"),
        anything: ["x": [1, nil, .binary(ByteBuffer(bytes: [9]))]],
        nested: [[1, nil], []],
        set: [3],
        range: 1...4
    )

    @Test func roundTrip() throws {
        let (text, attachments) = try encode(Self.person)
        #expect(attachments.count == 2)
        #expect(try decode(Person.self, text, attachments) == Self.person)
        let (array, more) = try encode([Self.person, Self.person])
        #expect(more.count == 4)
        #expect(try decode([Person].self, array, more) == [Self.person, Self.person])
        #expect(try SocketIOValue(encoding: Self.person).decode(Person.self) == Self.person)
    }

    /// What others make of the text that is written, and the other way round.
    @Test func agreesWithFoundation() throws {
        var person = Self.person
        person.photo = nil
        person.anything = ["x": [1, nil, "y"]]
        let coder = JSONDecoder()
        coder.dateDecodingStrategy = .custom { decoder in
            let text = try decoder.singleValueContainer().decode(String.self)
            let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
            return try style.parse(text)
        }
        #expect(try coder.decode(Person.self, from: Data(try json(person).utf8)) == person)
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .millisecondsSince1970
        let text = String(decoding: try encoder.encode(person), as: UTF8.self)
        #expect(try decode(Person.self, text) == person)
    }

    @Test func classes() throws {
        let cat = try json(Cat(legs: 4, name: "Tom"))
        #expect(cat == #"{"legs":4,"name":"Tom"}"#)
        let decodedCat = try decode(Cat.self, cat)
        #expect(decodedCat.legs == 4 && decodedCat.name == "Tom")
        let dog = try json(Dog(legs: 4, name: "Rex"))
        #expect(dog == #"{"base":{"legs":4},"name":"Rex"}"#)
        let decodedDog = try decode(Dog.self, dog)
        #expect(decodedDog.legs == 4 && decodedDog.name == "Rex")
        #expect(
            try json([Dog(legs: 3, name: "a"), Dog(legs: 2, name: "b")])
                == #"[{"base":{"legs":3},"name":"a"},{"base":{"legs":2},"name":"b"}]"#)
    }

    /// Containers that are used in turns.
    @Test func interleaved() throws {
        struct Value: Encodable {
            func encode(to encoder: any Encoder) throws {
                var root = encoder.container(keyedBy: AnyKey.self)
                var a = root.nestedContainer(keyedBy: AnyKey.self, forKey: AnyKey("a"))
                var b = root.nestedUnkeyedContainer(forKey: AnyKey("b"))
                let c = root.superEncoder(forKey: AnyKey("c"))
                let d = root.superEncoder(forKey: AnyKey("d"))
                let e = root.superEncoder()
                try b.encode(1)
                try a.encode("x", forKey: AnyKey("x"))
                var inner = a.nestedUnkeyedContainer(forKey: AnyKey("i"))
                try b.encode([2])
                try inner.encode(Address(street: "s", number: nil))
                try root.encode(true, forKey: AnyKey("z"))
                try inner.encodeNil()
                var list = c.unkeyedContainer()
                try list.encode(Data([1]))
                var single = d.singleValueContainer()
                try single.encode(Address(street: "t", number: 2))
                try a.encode(Data([2]), forKey: AnyKey("y"))
                var late = b.nestedContainer(keyedBy: AnyKey.self)
                try late.encode(0, forKey: AnyKey("l"))
                try list.encode(3)
                #expect(b.count == 3 && list.count == 2)
                #expect(late.codingPath.map(\.stringValue).suffix(2) == ["b", "Index 2"])
                #expect(e.codingPath.last?.stringValue == "super")
            }
        }
        let expected =
            #"{"a":{"x":"x","i":[{"street":"s"},null],"y":{"_placeholder":true,"num":1}},"#
            + #""b":[1,[2],{"l":0}],"c":[{"_placeholder":true,"num":0},3],"d":{"street":"t","number":2},"#
            + #""super":{},"z":true}"#
        let (text, attachments) = try encode(Value())
        #expect(text == expected)
        #expect(attachments == [ByteBuffer(bytes: [1]), ByteBuffer(bytes: [2])])
        #expect(try json(["k": [Value()]]) == #"{"k":[\#(expected)]}"#)
    }

    @Test func nothingEncoded() throws {
        struct Nothing: Codable {}
        struct Silent: Encodable { func encode(to encoder: any Encoder) throws {} }
        #expect(try json(Nothing()) == "{}")
        #expect(try json([Silent(), Silent()]) == "[{},{}]")
        #expect(try json([[Int]]()) == "[]")
        _ = try decode(Nothing.self, "{}")
    }

    /// A container that goes on after an error has no trace of the value that failed.
    @Test func errorsLeaveNoTrace() throws {
        struct Failing: Encodable {
            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                try container.encode(Data([1]))
                throw CancellationError()
            }
        }
        struct Value: Encodable {
            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: AnyKey.self)
                try container.encode(1, forKey: AnyKey("a"))
                try? container.encode(Failing(), forKey: AnyKey("b"))
                try container.encode(2, forKey: AnyKey("c"))
            }
        }
        let (text, attachments) = try encode(Value())
        #expect(text == #"{"a":1,"c":2}"#)
        #expect(attachments.isEmpty)
        #expect(code { _ = try json(Failing()) } == .encodingFailed)
    }

    @Test func misuseIsAnError() throws {
        struct TwoKinds: Encodable {
            func encode(to encoder: any Encoder) throws {
                var keyed = encoder.container(keyedBy: AnyKey.self)
                var unkeyed = encoder.unkeyedContainer()
                try keyed.encode(1, forKey: AnyKey("a"))
                try unkeyed.encode(1)
            }
        }
        #expect(code { _ = try json(TwoKinds()) } == .encodingFailed)
        struct TwoValues: Encodable {
            func encode(to encoder: any Encoder) throws {
                var container = encoder.singleValueContainer()
                try container.encode(1)
                try container.encode(2)
            }
        }
        #expect(code { _ = try json(TwoValues()) } == .encodingFailed)

        final class Keeper { var encoder: (any Encoder)? }
        struct Escaping: Encodable {
            let keeper: Keeper
            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                if let old = self.keeper.encoder {
                    var stale = old.unkeyedContainer()
                    try stale.encode(1)
                }
                self.keeper.encoder = encoder
                try container.encode(2)
            }
        }
        let keeper = Keeper()
        #expect(code { _ = try json([Escaping(keeper: keeper), Escaping(keeper: keeper)]) } == .encodingFailed)
    }

    @Test func decodersMayBeKept() throws {
        struct Kept: Decodable {
            let decoder: any Decoder
            init(from decoder: any Decoder) throws { self.decoder = decoder }
        }
        let kept = try decode([Kept].self, #"[{"street":"a"},{"street":"b","number":2}]"#)
        #expect(try kept.map { try Address(from: $0.decoder) }.map(\.street) == ["a", "b"])
        #expect(kept[1].decoder.codingPath.map(\.intValue) == [1])
    }
}
