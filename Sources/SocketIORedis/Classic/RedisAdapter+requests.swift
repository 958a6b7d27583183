import NIOCore
import RESP
import SocketIO
import SocketIOCore
import Synchronization

/// What others ask for, and the answers.
extension RedisAdapter {
    func receiveRequest(_ message: RedisMessage) {
        do {
            let request = try ClassicRequest.decode(message.payload, namespace: self.context.namespace)
            guard let request, request.uid != self.uid, self.isNew(request) else { return }
            try self.perform(request)
        } catch {
            self.complaints.note(.request, message.channel, error)
        }
    }

    private func isNew(_ request: ClassicRequest) -> Bool {
        guard let id = request.id else { return true }
        return self.state.withLock { $0.seen.insert(id) }
    }

    private func perform(_ request: ClassicRequest) throws {
        let local = self.context.local
        switch request.action {
        case .join(let rooms, let target): local.socketsJoin(rooms, target)
        case .leave(let rooms, let target): local.socketsLeave(rooms, target)
        case .disconnect(let target, let close): local.disconnectSockets(target, close: close)
        case .one(let sid, let action): self.perform(action, sid, request)
        case .sockets(let rooms):
            let ids = local.describeSockets(BroadcastTarget(rooms: rooms)).map { SocketIOValue.string($0.id) }
            self.answer(request, [request.isVersion2 ? "clients" : "sockets": .array(ids)])
        case .allRooms:
            let ids = local.describeSockets(BroadcastTarget()).map(\.id)
            let names = local.rooms.map(\.name)
            let own = Set(ids)
            let rooms = ids + names.filter { !own.contains($0) }.sorted()
            self.answer(request, ["rooms": .array(rooms.map { .string($0) })])
        case .roomsOf(let sid):
            guard let socket = local.describeSockets(BroadcastTarget(rooms: [Room(sid)])).first(where: { $0.id == sid })
            else { return }
            self.answer(request, ["rooms": .array(socket.rooms.map(\.name).sorted().map { .string($0) })])
        case .fetch(let target):
            self.answer(request, ["sockets": .array(local.describeSockets(target).map(\.value))])
        case .serverSideEvent(let event, let arguments):
            self.context.receiveServerSideEvent(event, arguments, request.id.map { self.answerOnce($0) })
        case .broadcast(let packet, let target): try self.perform(packet, target, request)
        }
    }

    /// The old form for one socket is answered by the server that has it.
    private func perform(_ action: ClassicRequest.OneSocket, _ sid: String, _ request: ClassicRequest) {
        let local = self.context.local
        let target = BroadcastTarget(rooms: [Room(sid)])
        guard local.describeSockets(target).contains(where: { $0.id == sid }) else { return }
        switch action {
        case .join(let room): local.socketsJoin([room], target)
        case .leave(let room): local.socketsLeave([room], target)
        case .disconnect(let close): local.disconnectSockets(target, close: close)
        }
        self.answer(request, [:])
    }

    /// Answers with an object that begins with the id.
    private func answer(_ request: ClassicRequest, _ content: SocketIOValue.Object) {
        guard let id = request.id else { return }
        var response: SocketIOValue.Object = [request.isVersion2 ? "requestid" : "requestId": .string(id)]
        for (key, value) in content { response[key] = value }
        self.answer(id, on: self.responseChannel(request), .object(response))
    }

    private func answer(_ id: String, on channel: String, _ response: SocketIOValue) {
        do {
            let text = try JSONText.write(response)
            self.hasAnswered(id)
            self.answer(channel, text)
        } catch {
            self.complaints.note(.request, channel, error)
        }
    }

    private func responseChannel(_ request: ClassicRequest) -> String {
        guard self.options.publishesOnSpecificResponseChannel, let uid = request.uid,
            uid.utf8.count <= RecentIDs.maxLength
        else { return self.channels.response }
        return self.channels.response(to: uid)
    }

    private func hasAnswered(_ id: String) {
        self.state.withLock { _ = $0.answered.insert(id) }
    }

    /// The answer to an event between servers. It goes to the common channel, whatever the options say, and counts once.
    private func answerOnce(_ id: String) -> @Sendable (SocketIOValue?) -> Void {
        let isFirst = Once()
        return { [weak self] value in
            guard let self, isFirst.take() else { return }
            var response: SocketIOValue.Object = ["type": 6, "requestId": .string(id)]
            // JavaScript's undefined is a key that is not there.
            if let value { response["data"] = value }
            self.answer(id, on: self.channels.response, .object(response))
        }
    }

    /// Asks this server's sockets on behalf of another one.
    private func perform(_ packet: BroadcastPacket?, _ target: BroadcastTarget, _ request: ClassicRequest) throws {
        guard let id = request.id else { throw MalformedMessage("no id") }
        guard let packet else { return }
        let channel = self.responseChannel(request)
        let timeout = target.flags.timeout ?? Self.defaultAckTimeout
        let answers = AnswersBehindCount()
        let count = self.context.local.broadcastWithAck(packet, to: target, timeout: timeout) { [weak self] value in
            guard let self else { return }
            do {
                let answer = try ClassicResponse.acknowledgement(id, value)
                if !answers.keep(answer) { self.answer(channel, answer) }
            } catch {
                self.complaints.note(.request, channel, error)
            }
        }
        self.answer(id, on: channel, ["type": 8, "requestId": .string(id), "clientCount": .int(count)])
        for answer in answers.release() { self.answer(channel, answer) }
    }
}

/// Keeps acknowledgements until it was said how many there will be.
private final class AnswersBehindCount: Sendable {
    /// Nil when nothing has to wait any more.
    private let kept = Mutex<[ByteBuffer]?>([])

    /// False if the answer need not wait.
    func keep(_ answer: ByteBuffer) -> Bool {
        self.kept.withLock { kept in
            kept?.append(answer)
            return kept != nil
        }
    }

    func release() -> [ByteBuffer] { self.kept.withLock { $0.take() } ?? [] }
}

/// Something that happens once, whoever is first.
private final class Once: Sendable {
    private let isTaken = Atomic<Bool>(false)

    func take() -> Bool { !self.isTaken.exchange(true, ordering: .relaxed) }
}
