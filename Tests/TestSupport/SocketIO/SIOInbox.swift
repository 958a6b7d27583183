import Foundation

/// Sorts what a session receives by namespace.
final class SIOInbox: Sendable {
    /// What the server says when a namespace is joined.
    struct Welcome: Sendable {
        let sid: String
        let json: String
    }

    struct Namespace: Sendable {
        /// Answers to CONNECT.
        var answers = FIFO<Result<Welcome, SIORefused>>()
        var sid: String?
        var events = FIFO<SIOPacket>()
        var eventCount = 0
        var acks: [Int: SIOPacket] = [:]
        /// Acknowledgements that were asked for and not seen yet.
        var awaitedAcks: Set<Int> = []
        var nextID = 0
        var disconnects = 0
    }

    struct State: Sendable {
        var namespaces: [String: Namespace] = [:]
        /// A binary packet whose attachments are not complete.
        var partial: SIOPacket?
        /// What the server did wrong first.
        var failure: PeerError?
        var closed: EIOClosed?

        /// Throws what keeps anything more from arriving.
        func checkOpen() throws {
            if let failure { throw failure }
            if let closed { throw closed }
        }
    }

    let state = Awaited(State()) { state in
        let namespaces = state.namespaces.map { name, space in
            "\(name): sid \(space.sid ?? "none"), \(space.eventCount) events, \(space.disconnects) disconnects"
        }
        return (namespaces + [state.closed.map { "\($0)" } ?? "open"]).joined(separator: "; ")
    }

    func receive(_ event: EIOClient.Event) {
        state.update { state in
            do {
                switch event {
                case .closed(let closed): state.closed = closed
                case .message(.text(let text)): try Self.receive(text, &state)
                case .message(.binary(let bytes)): try Self.receive(bytes, &state)
                }
            } catch {
                state.failure = state.failure ?? PeerError("protocol error: \(error)")
            }
        }
    }

    private static func receive(_ text: String, _ state: inout State) throws {
        guard state.partial == nil else { throw PeerError("text instead of an attachment: \"\(text.prefix(80))\"") }
        let packet = try SIOPacket(parsing: text)
        if packet.attachmentCount > 0 {
            state.partial = packet
        } else {
            try sort(packet, &state)
        }
    }

    private static func receive(_ bytes: [UInt8], _ state: inout State) throws {
        guard var packet = state.partial else { throw PeerError("an attachment of nothing") }
        state.partial = nil
        packet.attachments.append(bytes)
        if packet.attachments.count < packet.attachmentCount {
            state.partial = packet
        } else {
            try sort(packet, &state)
        }
    }

    private static func sort(_ packet: SIOPacket, _ state: inout State) throws {
        let name = packet.namespace
        switch packet.kind {
        case .connect:
            let json = packet.json ?? ""
            let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
            guard let sid = object?["sid"] as? String else { throw PeerError("CONNECT without sid: \(json)") }
            state.namespaces[name, default: Namespace()].sid = sid
            state.namespaces[name, default: Namespace()].answers.append(.success(Welcome(sid: sid, json: json)))
        case .connectError:
            let refused = SIORefused(namespace: name, json: packet.json ?? "")
            state.namespaces[name, default: Namespace()].answers.append(.failure(refused))
        case .disconnect:
            state.namespaces[name, default: Namespace()].disconnects += 1
            state.namespaces[name, default: Namespace()].sid = nil
        case .event, .binaryEvent:
            state.namespaces[name, default: Namespace()].events.append(packet)
            state.namespaces[name, default: Namespace()].eventCount += 1
        case .ack, .binaryAck:
            let id = packet.id ?? 0
            guard state.namespaces[name, default: Namespace()].awaitedAcks.remove(id) != nil else {
                throw PeerError("an acknowledgement nobody waits for: \(packet)")
            }
            state.namespaces[name, default: Namespace()].acks[id] = packet
        }
    }
}
