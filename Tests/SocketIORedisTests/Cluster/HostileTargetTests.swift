import MessagePack
import NIOCore
import RESP
import SocketIO
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIORedis

/// What a target says must not mean more sockets here than where it was sent.
@Suite struct HostileTargetTests {
    @Test(arguments: [
        "{}", #"{"rooms":null}"#, #"{"rooms":"r"}"#, #"{"rooms":{}}"#, #"{"rooms":[null]}"#, #"{"rooms":[true]}"#,
        #"{"rooms":[{}]}"#, #"{"rooms":["r",[]]}"#,
    ])
    func areNotEverybody(_ opts: String) throws {
        for (type, rest) in [
            (3, #""packet":{"type":2,"data":["e"]}"#), (4, #""rooms":["x"]"#), (5, #""rooms":["x"]"#),
            (6, #""close":true"#), (7, #""requestId":"1""#),
        ] {
            let text = "{\"type\":\(type),\"data\":{\"opts\":\(opts),\(rest)},\"uid\":\"x\",\"nsp\":\"/\"}"
            let json = ByteBuffer(string: text)
            var writer = MessagePackWriter(.notepack3)
            try writer.write(try json.messageValue)
            for form in [json, writer.buffer] {
                let message = try #require(try ClusterMessage(form))
                #expect(throws: SocketIOError.self) { try ClusterBody(message.type, message.data) }
            }
        }
    }

    @Test func roomsMayBeNumbersAndExceptMayBeAnything() throws {
        let text =
            #"{"type":3,"data":{"opts":{"rooms":[1,"a"],"except":[null,"b"]},"packet":{"data":["e"]}},"#
            + #""uid":"x","nsp":"/"}"#
        let message = try #require(try ClusterMessage(ByteBuffer(string: text)))
        guard case .broadcast(_, nil, let target) = try ClusterBody(message.type, message.data) else {
            Issue.record("no broadcast")
            return
        }
        #expect(target.rooms == ["1", "a"] && target.except == ["b"])
    }
}
