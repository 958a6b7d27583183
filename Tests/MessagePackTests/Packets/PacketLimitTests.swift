import NIOCore
import Testing

@testable import MessagePack
@testable import SocketIOCore

/// What packets must not be, in MessagePack as in the default form.
@Suite struct PacketLimitTests {
    /// A packet with any members.
    private func packet(_ members: [(String, SocketIOValue)]) throws -> ByteBuffer {
        var writer = MessagePackWriter(.notepack3)
        writer.writeMapHeader(members.count)
        for (key, value) in members {
            writer.write(key)
            try writer.write(value)
        }
        return writer.buffer
    }

    private func event(_ data: SocketIOValue, id: SocketIOValue? = nil, nsp: SocketIOValue = "/") throws -> ByteBuffer {
        try self.packet([("type", 2), ("nsp", nsp), ("data", data)] + (id.map { [("id", $0)] } ?? []))
    }

    private func code(_ message: ByteBuffer, _ limits: PacketLimits = PacketLimits()) -> SocketIOError.Code? {
        do {
            _ = try PacketVectors.decode(message, limits)
            return nil
        } catch {
            return (error as? SocketIOError)?.code
        }
    }

    private func nested(_ depth: Int) -> SocketIOValue {
        (0..<depth).reduce(SocketIOValue.null) { value, _ in .array([value]) }
    }

    @Test func depth() throws {
        let limits = PacketLimits(maxDepth: 10)
        #expect(self.code(try self.event(["a", self.nested(9)]), limits) == nil)
        #expect(self.code(try self.event(["a", self.nested(10)]), limits) == .nestingTooDeep)
        // Far deeper than any stack.
        var deep = try bytes("83a47479706502a36e7370a12fa464617461")
        deep.writeRepeatingByte(0x91, count: 1_000_000)
        deep.writeInteger(0xC0 as UInt8)
        #expect(self.code(deep) == .nestingTooDeep)
        #expect(self.code(deep, PacketLimits(maxDepth: .max)) == .nestingTooDeep)
    }

    @Test func arguments() throws {
        let limits = PacketLimits(maxArguments: 3)
        #expect(self.code(try self.event(["a", 1, 2, 3]), limits) == nil)
        #expect(self.code(try self.event(["a", 1, 2, 3, 4]), limits) == .limitExceeded)
        let ack = try self.packet([("type", 3), ("nsp", "/"), ("id", 1), ("data", [1, 2, 3, 4])])
        #expect(self.code(ack, limits) == .limitExceeded)
    }

    @Test func binaryValues() throws {
        let value = SocketIOValue.binary(ByteBuffer(repeating: 1, count: 10))
        let event = try self.event(["a", value, ["b": value], value])
        let packet = try #require(try PacketVectors.decode(event))
        #expect(packet.isBinary && packet.attachments.count == 3)
        #expect(self.code(event, PacketLimits(maxAttachments: 3, maxAttachmentBytes: 30)) == nil)
        #expect(self.code(event, PacketLimits(maxAttachments: 2)) == .tooManyAttachments)
        #expect(self.code(event, PacketLimits(maxAttachmentBytes: 29)) == .limitExceeded)
        let connect = try self.packet([("type", 0), ("nsp", "/"), ("data", ["token": value])])
        #expect(self.code(connect) == .invalidPayload)
        let refusal = try self.packet([("type", 4), ("nsp", "/"), ("data", ["message": "x", "data": value])])
        #expect(self.code(refusal) == .invalidPayload)
    }

    @Test func namespaces() throws {
        let limits = PacketLimits(maxNamespaceLength: 5)
        #expect(self.code(try self.event(["a"], nsp: "/1234"), limits) == nil)
        #expect(self.code(try self.event(["a"], nsp: "/12345"), limits) == .limitExceeded)
        for name: SocketIOValue in ["", "a", "/a,b", "/a,", ",", nil, 1, ["/"], .binary(ByteBuffer(string: "/"))] {
            #expect(self.code(try self.event(["a"], nsp: name)) == .invalidPacket, "\(name)")
        }
    }

    @Test func ids() throws {
        #expect(try PacketVectors.decode(try self.event(["a"], id: 0))?.id == 0)
        #expect(try PacketVectors.decode(try self.event(["a"], id: .int(.max)))?.id == .max)
        for id: SocketIOValue in [-1, .int(.min), 1.5, .double(1e300), .double(.nan), "1", nil, [1], true] {
            #expect(self.code(try self.event(["a"], id: id)) == .invalidPacket, "\(id)")
        }
        // More than 63 bits.
        let large = try bytes("84a47479706502a36e7370a12fa46461746191a161a26964cfffffffffffffffff")
        #expect(self.code(large) == .invalidPacket)
    }

    @Test func names() throws {
        for name in ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"] {
            #expect(self.code(try self.event([.string(name)])) == .invalidPayload)
        }
        for data: SocketIOValue in [[], [nil], [true], [[:]], [["a"]], ["a": 1], nil, "a"] {
            #expect(self.code(try self.event(data)) == .invalidPayload, "\(data)")
        }
        #expect(try PacketVectors.decode(try self.event([7, 1]))?.eventName == "7")
    }

    @Test func messages() throws {
        let decoder = MessagePackForm().makeDecoder(PacketLimits())
        let error = #expect(throws: SocketIOError.self) {
            _ = try decoder.decode(ByteBuffer(string: "2[\"a\"]"), isBinary: false)
        }
        #expect(error?.code == .unexpectedMessage)
        // A header that promises more than a message can hold.
        for text in [
            "dfffffffff", "de0001", "81", "81a1", "8192", "81a474797065", "c1", "81c102", "82a47479706500a36e7370",
        ] {
            #expect(self.code(try bytes(text)) == .invalidPacket, "\(text)")
        }
        let whole = try self.event(["a", ["b": .binary(ByteBuffer(bytes: [1, 2]))]], id: 3)
        #expect(self.code(whole) == nil)
        for count in 0..<whole.readableBytes {
            let part = try #require(whole.getSlice(at: whole.readerIndex, length: count))
            #expect(self.code(part) == .invalidPacket)
        }
        // As in JavaScript, the last of repeated keys counts.
        let twice = try self.packet([("type", 1), ("nsp", "/a"), ("nsp", "/"), ("type", 2), ("data", ["a"])])
        #expect(try PacketVectors.decode(twice)?.namespace == "/")
    }

    /// What JavaScript has as `undefined` is as in JSON: null in arrays, and nothing in objects, first or last.
    @Test func undefined() throws {
        for (data, text) in [
            ("83a178d40000a17901a17ad40000", #"{"y":1}"#), ("82a17801a17ad40000", #"{"x":1}"#),
            ("81a178d40000", "{}"), ("82a17881a178d40000a1799101", #"{"x":{},"y":[1]}"#),
            ("92d40000c0", "[null,null]"), ("8191d40000d40000", "{}"),
        ] {
            let packet = try PacketVectors.decode(try bytes("83a47479706502a36e7370a12fa46461746192a161" + data))
            #expect(packet?.payload == ByteBuffer(string: "[\"a\",\(text)]"), "\(data)")
        }
    }

    /// Text that is no UTF-8 is mended, and nothing in it becomes JSON.
    @Test func texts() throws {
        var message = try bytes("83a47479706502a36e7370a12fa46461746192a161a8")
        message.writeBytes([0x22, 0x2C, 0x5D, 0xFF, 0x5C, 0x00, 0xC3, 0x7D])
        let packet = try #require(try PacketVectors.decode(message))
        var reader = packet.arguments
        #expect(try reader.next(String.self) == "\",]\u{FFFD}\\\u{0}\u{FFFD}}")
        #expect(reader.isAtEnd)
    }

    /// Without binary data an object that looks like a placeholder is one like any other.
    @Test func placeholders() throws {
        let object: SocketIOValue = ["_placeholder": true, "num": 7]
        var reader = try #require(try PacketVectors.decode(try self.event(["a", object]))).arguments
        #expect(try reader.nextValue() == object)
        let both = try self.event(["a", object, .binary(ByteBuffer(bytes: [1]))])
        #expect(self.code(both) == .illegalAttachments)
    }
}
