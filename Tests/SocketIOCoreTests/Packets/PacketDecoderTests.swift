import NIOCore
import Testing

@testable import SocketIOCore

@Suite struct PacketDecoderTests {
    private func decode(_ text: String, _ limits: PacketLimits = PacketLimits()) throws(SocketIOError) -> Packet? {
        var decoder = PacketDecoder(limits: limits)
        return try decoder.decode(text: ByteBuffer(string: text))
    }

    @Test func readsArgumentsAsTypes() throws {
        let packet = try #require(try decode(#"2/chat,7["say", "hello" ,2,[1,2],null]"#))
        #expect(packet.type == .event && packet.namespace == "/chat" && packet.id == 7 && packet.eventName == "say")
        #expect(!packet.isBinary && packet.attachments.isEmpty)
        #expect(packet.payload.map { String(buffer: $0) } == #"["say", "hello" ,2,[1,2],null]"#)
        var arguments = packet.arguments
        #expect(try arguments.next(String.self) == "hello")
        #expect(try arguments.next(Int.self) == 2)
        #expect(try arguments.next([Int].self) == [1, 2])
        #expect(try arguments.next(String?.self) == nil)
        #expect(arguments.isAtEnd && arguments.index == 4)
    }

    /// The attachments may be long in coming.
    @Test func aTextThatWaitsForAttachmentsDoesNotKeepTheReadThatItCameIn() throws {
        let text = #"51-["e",{"_placeholder":true,"num":0}]"#
        let read = ByteBuffer(string: text + String(repeating: " ", count: 4096))
        let message = try #require(read.getSlice(at: 0, length: text.utf8.count))
        var decoder = PacketDecoder(copiesPendingText: true)
        #expect(try decoder.decode(text: message) == nil)
        let packet = try #require(try decoder.decode(binary: ByteBuffer(string: "zero")))
        #expect((packet.payload?.storageCapacity ?? .max) < 1000)
        var arguments = packet.arguments
        #expect(try arguments.next(ByteBuffer.self) == ByteBuffer(string: "zero"))
    }

    /// A few bytes that stand for an attachment again and again don't make more of it than attachments may have.
    @Test func oneAttachmentInManyPlaces() throws {
        let placeholder = #"{"_placeholder":true,"num":0}"#
        for (count, isAccepted) in [(1, true), (10, true), (11, false), (5000, false)] {
            let list = Array(repeating: placeholder, count: count).joined(separator: ",")
            var decoder = PacketDecoder(limits: PacketLimits(maxAttachmentBytes: 1000))
            #expect(try decoder.decode(text: ByteBuffer(string: "51-[\"e\",[\(list)]]")) == nil)
            let attachment = ByteBuffer(bytes: [UInt8](repeating: 7, count: 100))
            if isAccepted {
                let packet = try #require(try decoder.decode(binary: attachment))
                var arguments = packet.arguments
                #expect(try arguments.next([ByteBuffer].self).count == count)
            } else {
                let error = #expect(throws: SocketIOError.self) { try decoder.decode(binary: attachment) }
                #expect(error?.code == .limitExceeded)
            }
        }
    }

    /// The largest counts, however many small ones are beside it.
    @Test func manyPlacesOfTheLargestAttachment() throws {
        let places = (0..<3).map { "{\"_placeholder\":true,\"num\":\($0 % 2)}" }.joined(separator: ",")
        var decoder = PacketDecoder(limits: PacketLimits(maxAttachmentBytes: 1000))
        #expect(try decoder.decode(text: ByteBuffer(string: "52-[\"e\",\(places)]")) == nil)
        #expect(try decoder.decode(binary: ByteBuffer(bytes: [1])) == nil)
        #expect(throws: SocketIOError.self) {
            try decoder.decode(binary: ByteBuffer(bytes: [UInt8](repeating: 7, count: 400)))
        }
    }

    @Test func attachmentsAreSharedNotCopied() throws {
        var decoder = PacketDecoder()
        let header = ByteBuffer(string: #"52-["e",{"num":1,"_placeholder":true},{"_placeholder":true,"num":0}]"#)
        #expect(try decoder.decode(text: header) == nil)
        #expect(decoder.isAwaitingAttachments)
        #expect(try decoder.decode(binary: ByteBuffer(string: "zero")) == nil)
        let packet = try #require(try decoder.decode(binary: ByteBuffer(string: "one")))
        #expect(packet.isBinary && !decoder.isAwaitingAttachments)
        var arguments = packet.arguments
        #expect(try arguments.next(ByteBuffer.self) == ByteBuffer(string: "one"))
        #expect(try arguments.next(SocketIOValue.self) == .binary(ByteBuffer(string: "zero")))
    }

    @Test func resetForgetsAttachments() throws {
        var decoder = PacketDecoder()
        #expect(try decoder.decode(text: ByteBuffer(string: #"51-["e"]"#)) == nil)
        decoder.reset()
        #expect(!decoder.isAwaitingAttachments)
        #expect(try decoder.decode(text: ByteBuffer(string: #"2["e"]"#))?.eventName == "e")
    }

    @Test(arguments: [
        (#"51-["e",{"_placeholder":true,"num":1}]"#, false),
        (#"51-["e",{"_placeholder":true,"num":-0}]"#, true),
        (#"51-["e",{"_placeholder":true,"num":0.0}]"#, true),
        (#"51-["e",{"_placeholder":true,"num":0e5}]"#, true),
        (#"51-["e",{"num":9,"_placeholder":true,"num":0}]"#, true),
        (#"51-["e",{"num":0,"_placeholder":true,"num":9}]"#, false),
        (#"51-["e",{"_placeholder":true,"num":9,"_placeholder":false}]"#, true),
        (#"51-["e",{"\u005fplaceholder":true,"num":9}]"#, false),
        (#"51-["e",[{"a":{"_placeholder":true,"num":[0]}}]]"#, false),
        (#"51-["e",[{"a":{"_placeholder":true,"num":{"num":0}}}]]"#, false),
        (#"51-["e",{"_placeholder":[true],"num":7}]"#, true),
        (#"51-["e",{"_placeholder":true,"num":99999999999999999999}]"#, false),
    ])
    func placeholdersAreCheckedInTheHeader(_ text: String, isValid: Bool) {
        let failure = code { _ = try decode(text) }
        #expect(failure == (isValid ? nil : .illegalAttachments))
    }

    @Test func limits() throws {
        let deep = "2[\"e\"," + String(repeating: "[", count: 9) + String(repeating: "]", count: 9) + "]"
        #expect(try decode(deep, PacketLimits(maxDepth: 10)) != nil)
        #expect(code { _ = try decode(deep, PacketLimits(maxDepth: 9)) } == .nestingTooDeep)
        #expect(code { _ = try decode("2" + String(repeating: "[", count: 100_000)) } == .nestingTooDeep)
        let objects = "2[\"e\"," + String(repeating: "{\"a\":", count: 100_000)
        #expect(code { _ = try decode(objects) } == .nestingTooDeep)

        #expect(try decode(#"2["e",1,[2,3,4]]"#, PacketLimits(maxArguments: 2)) != nil)
        #expect(code { _ = try decode(#"2["e",1,2,3]"#, PacketLimits(maxArguments: 2)) } == .limitExceeded)
        #expect(code { _ = try decode("31[1,2,3]", PacketLimits(maxArguments: 2)) } == .limitExceeded)

        #expect(try decode("0/abc,", PacketLimits(maxNamespaceLength: 4))?.namespace == "/abc")
        #expect(code { _ = try decode("0/abcd,", PacketLimits(maxNamespaceLength: 4)) } == .limitExceeded)

        var decoder = PacketDecoder(limits: PacketLimits(maxAttachmentBytes: 5))
        #expect(try decoder.decode(text: ByteBuffer(string: #"52-["e"]"#)) == nil)
        #expect(try decoder.decode(binary: ByteBuffer(string: "abc")) == nil)
        #expect(code { _ = try decoder.decode(binary: ByteBuffer(string: "abc")) } == .limitExceeded)
        #expect(!decoder.isAwaitingAttachments)
        #expect(code { _ = try decode("511-[]") } == .tooManyAttachments)
        #expect(code { _ = try decode("599999999999999999999999-[]") } == .illegalAttachments)
        #expect(code { _ = try decode(#"29223372036854775808["e"]"#) } == .invalidPacket)
        #expect(try decode(#"29223372036854775807["e"]"#)?.id == .max)
    }

    @Test func eventNames() throws {
        #expect(try decode(#"2["a\u00e9\n"]"#)?.eventName == "aé\n")
        #expect(try decode("2[-1.50,2]")?.eventName == "-1.50")
        #expect(code { _ = try decode(#"2["conn\u0065ct"]"#) } == .invalidPayload)
    }

    @Test func payloadsOfOtherTypes() throws {
        var connect = try #require(try decode(#"0/a, {"token":"x"} "#)).arguments
        #expect(try connect.next([String: String].self) == ["token": "x"])
        #expect(connect.isAtEnd)
        var ack = try #require(try decode("30[]")).arguments
        #expect(ack.isAtEnd)
        #expect(code { _ = try ack.next(Int.self) } == .missingArgument)
        #expect(try #require(try decode("3")).arguments.isAtEnd)
    }
}
