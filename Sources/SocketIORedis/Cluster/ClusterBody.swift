import SocketIO
import SocketIOCore

/// What a message between servers says.
enum ClusterBody: Sendable {
    /// An event for sockets; with `requestID` they are asked for acknowledgements.
    case broadcast(ClusterEvent, requestID: String?, BroadcastTarget)
    case socketsJoin([Room], BroadcastTarget)
    case socketsLeave([Room], BroadcastTarget)
    case disconnectSockets(BroadcastTarget, close: Bool)
    case fetchSockets(BroadcastTarget, requestID: String)
    case fetchSocketsResponse([SocketDescription], requestID: String)
    /// An event for servers; with `requestID` they are asked for an answer.
    case serverSideEmit(ClusterEvent, requestID: String?)
    /// Nil: the answer has no argument.
    case serverSideEmitResponse(SocketIOValue?, requestID: String)
    case broadcastClientCount(Int, requestID: String)
    case broadcastAck(SocketIOValue?, requestID: String)

    var type: ClusterMessageType {
        switch self {
        case .broadcast: .broadcast
        case .socketsJoin: .socketsJoin
        case .socketsLeave: .socketsLeave
        case .disconnectSockets: .disconnectSockets
        case .fetchSockets: .fetchSockets
        case .fetchSocketsResponse: .fetchSocketsResponse
        case .serverSideEmit: .serverSideEmit
        case .serverSideEmitResponse: .serverSideEmitResponse
        case .broadcastClientCount: .broadcastClientCount
        case .broadcastAck: .broadcastAck
        }
    }

    /// Whether another server waits for it.
    var isAnswer: Bool {
        switch self {
        case .fetchSocketsResponse, .serverSideEmitResponse, .broadcastClientCount, .broadcastAck: true
        default: false
        }
    }

    /// Whether there is binary data in it: the reference then writes MessagePack instead of JSON.
    var hasBinary: Bool {
        switch self {
        case .broadcast(let event, _, _), .serverSideEmit(let event, _): event.hasBinary
        case .fetchSocketsResponse(let sockets, _):
            sockets.contains { socket in
                socket.handshake.auth.containsBinary || socket.data.values.contains(where: \.containsBinary)
            }
        case .serverSideEmitResponse(let value, _), .broadcastAck(let value, _): value?.containsBinary ?? false
        case .socketsJoin, .socketsLeave, .disconnectSockets, .fetchSockets, .broadcastClientCount: false
        }
    }
}

extension SocketIOValue {
    var containsBinary: Bool {
        switch self {
        case .binary: true
        case .array(let elements): elements.contains(where: \.containsBinary)
        case .object(let object): object.contains(where: \.value.containsBinary)
        default: false
        }
    }
}
