import SocketIOCore
import Testing

@testable import SocketIORedis

@Suite struct StreamRoutingTests {
    /// The streams that the reference was seen to write to.
    @Test func recordedRouting() throws {
        let rows = try #require(try RedisVectors.load("redis-streams")["routing"]?.arrayValue)
        #expect(rows.count > 50)
        for row in rows {
            let namespace = try #require(row["namespace"]?.stringValue)
            let options = RedisStreamsAdapterOptions(streamCount: try #require(row["streamCount"]?.intValue))
            let stream = options.stream(of: namespace)
            #expect(stream == row["writtenTo"]?.stringValue, "\(namespace) of \(options.streamCount)")
            #expect(options.streams.contains(stream) == row["isPolled"]?.boolValue, "\(namespace)")
        }
    }
}
