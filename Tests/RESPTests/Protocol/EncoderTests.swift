import NIOCore
import Testing

@testable import RESP

struct EncoderTests {
    @Test func commandsAreArraysOfBulkStrings() {
        var buffer = ByteBuffer()
        let command = RedisCommand("SET", "key", "", "é")
        RESPEncoder.write(command, into: &buffer)
        let text = "*4\r\n$3\r\nSET\r\n$3\r\nkey\r\n$0\r\n\r\n$2\r\né\r\n"
        #expect(String(buffer: buffer) == text)
        #expect(RESPEncoder.size(of: command) == buffer.readableBytes)
    }

    @Test(arguments: [0, 1, 9, 10, 11, 99, 100, 101, 999, 1000, 12345]) func lengths(length: Int) {
        var buffer = ByteBuffer()
        let command = RedisCommand(arguments: [ByteBuffer(repeating: 65, count: length)])
        RESPEncoder.write(command, into: &buffer)
        #expect(String(buffer: buffer) == "*1\r\n$\(length)\r\n\(String(repeating: "A", count: length))\r\n")
        #expect(RESPEncoder.size(of: command) == buffer.readableBytes)
    }

    @Test func subscriptions() {
        var buffer = ByteBuffer()
        let kinds: [(RedisChannel.Kind, Bool)] = [
            (.channel, true), (.channel, false), (.pattern, true), (.pattern, false), (.shard, true), (.shard, false),
        ]
        for (kind, isSubscribed) in kinds {
            SubscriptionRequest(kind: kind, isSubscribed: isSubscribed, channels: ["a", "b"], token: 0)
                .write(into: &buffer)
        }
        let names = String(buffer: buffer).split(separator: "\r\n").filter { $0.hasSuffix("SUBSCRIBE") }
        #expect(
            names == ["SUBSCRIBE", "UNSUBSCRIBE", "PSUBSCRIBE", "PUNSUBSCRIBE", "SSUBSCRIBE", "SUNSUBSCRIBE"])
        #expect(String(buffer: buffer).hasPrefix("*3\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n$1\r\nb\r\n"))
    }
}
