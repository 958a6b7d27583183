import RESP
import SocketIO

extension AdapterStatus {
    /// - Parameter isSubscribed: whether messages of the other servers arrive.
    init(_ state: RedisState, isSubscribed: Bool) {
        switch state {
        case .connected, .recovered:
            self = isSubscribed ? .ready : .notReady(reason: "Redis has not confirmed the subscription yet")
        case .connecting: self = .notReady(reason: "Redis was not reached yet")
        case .degraded: self = .notReady(reason: "a connection to Redis is lost, or a subscription is deaf")
        case .closed: self = .notReady(reason: "the Redis client was shut down")
        }
    }
}

extension RedisAdapter {
    public var status: AdapterStatus { AdapterStatus(self.redis.state, isSubscribed: self.subscribed.isReached) }
}

extension ClusterNode {
    var status: AdapterStatus {
        AdapterStatus(self.redis.state, isSubscribed: self.subscribed.allSatisfy(\.isReached))
    }
}

extension ShardedRedisAdapter {
    public var status: AdapterStatus { self.node.status }
}

extension RedisStreamsAdapter {
    /// Ready when the stream is read and questions of others arrive.
    public var status: AdapterStatus { self.node.status }
}
