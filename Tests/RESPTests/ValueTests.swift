import NIOCore
import RESP
import Testing

struct ValueTests {
    @Test func textsAndNumbers() {
        #expect(RedisValue.string(ByteBuffer(string: "12")).int == 12)
        #expect(RedisValue.integer(-3).int == -3)
        #expect(RedisValue.string(ByteBuffer(string: "x")).int == nil)
        #expect(RedisValue.map([RedisPair(key: .integer(1), value: .null)]).elements == [.integer(1), .null])
    }
}
