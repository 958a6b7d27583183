import NIOCore
import RESP
import SocketIO
import SocketIOCore

/// What servers of this package say to each other, on a channel of their own: answers of this protocol do not say who has sent
/// them, so that it takes a second question to name who is missing.
extension RedisAdapter {
    func askWhoHasAnswered(_ id: String) {
        self.tellPeers(["type": "who", "uid": .string(self.uid), "requestId": .string(id)])
    }

    func receivePeer(_ message: RedisMessage) {
        do {
            let value = try JSONText.read(message.payload)
            guard let type = value["type"]?.stringValue, let uid = value["uid"]?.stringValue,
                let id = value["requestId"]?.stringValue
            else { throw MalformedMessage("no word of a server") }
            guard uid != self.uid else { return }
            switch type {
            case "who":
                guard self.state.withLock({ $0.answered.contains(id) }) else { return }
                self.tellPeers([
                    "type": "me", "uid": .string(self.uid), "to": .string(uid), "requestId": .string(id),
                ])
            case "me":
                guard value["to"]?.stringValue == self.uid, ClassicID.isID(uid) else { return }
                self.queries[id]?.hasAnswered(uid)
                self.acknowledgements[id]?.heard(from: uid)
            default: break
            }
        } catch {
            self.complaints.note(.peer, message.channel, error)
        }
    }

    private func tellPeers(_ message: SocketIOValue) {
        do { self.answer(self.channels.peers, try JSONText.write(message)) } catch {
            self.complaints.note(.peer, self.channels.peers, error)
        }
    }
}
