import NIOCore
import RESP
import SocketIO
import SocketIOCore

/// What an emitter says without waiting for an answer.
enum EmitterMessage: Sendable {
    case broadcast(BroadcastPacket, BroadcastTarget)
    case join([Room], BroadcastTarget)
    case leave([Room], BroadcastTarget)
    case disconnect(BroadcastTarget, close: Bool)
    case serverSideEvent(BroadcastPacket)
}

/// What an emitter asks all servers.
enum EmitterQuestion: Sendable {
    case sockets(BroadcastTarget)
    /// Acknowledgements of an event.
    case acknowledgements(BroadcastPacket, BroadcastTarget)
    case serverSideEvent(BroadcastPacket)
}

/// What has come on a channel of answers. `server`: who says it, where answers say that.
enum EmitterAnswer: Sendable {
    case sockets([SocketDescription], id: String, server: String?)
    /// Sockets, or answers to an event between servers; what it is depends on the question.
    case values([SocketIOValue], id: String, server: String?)
    /// So many clients were asked for acknowledgements.
    case clientCount(Int, id: String, server: String?)
    case acknowledgement(SocketIOValue?, id: String)
    /// A server says that it has answered.
    case answered(id: String, server: String)
}

/// What is different between the adapters: commands and channels of one namespace.
protocol EmitterWire: Sendable {
    var namespace: String { get }
    /// How long a question may take if the caller does not say.
    var requestsTimeout: Duration { get }

    // MARK: Saying

    func command(_ message: EmitterMessage) throws -> RedisCommand
    /// How many servers the reply to such a command says have listened; nil if it does not say that.
    func listeners(_ reply: RedisValue) -> Int?
    /// In Redis Cluster, replies count only those who listen at one node.
    var repliesAreOfOneNode: Bool { get }

    // MARK: Asking

    /// Where answers come.
    var answerChannels: [RedisChannel] { get }
    func makeID() -> String
    func question(_ question: EmitterQuestion, id: String) throws -> RedisCommand
    /// What a message says; nil if it is for others.
    func answer(_ message: RedisMessage) throws -> EmitterAnswer?

    // MARK: Who is there

    /// The reply names a channel and says how many servers listen.
    var countCommand: RedisCommand { get }
    /// The reply lists channels.
    var listCommand: RedisCommand { get }
    /// The server whose channel that is.
    func server(ofChannel channel: String) -> String?
    /// Asks the servers whether they have answered, where answers don't say whose they are.
    func askWhoHasAnswered(_ id: String) throws -> RedisCommand?
}

enum EmitterID {
    /// What official emitters call themselves. No server has such an id.
    static let common = "emitter"

    /// The id of an emitter that asks: answers are sent to it. It must not look like the id of a server of any adapter, or it would
    /// be named among those that don't answer.
    static func random() -> String { "\(Self.common)-\(ClusterID.random())" }
}

extension RedisCommand {
    /// Publishes a payload. In Redis Cluster any node will do unless it is for a shard.
    static func publishing(_ payload: ByteBuffer, to channel: String, isShard: Bool = false) -> RedisCommand {
        RedisCommand(
            arguments: [ByteBuffer(string: isShard ? "SPUBLISH" : "PUBLISH"), ByteBuffer(string: channel), payload],
            keyIndex: isShard ? 1 : nil
        )
    }
}
