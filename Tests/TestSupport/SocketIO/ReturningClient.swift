import Foundation

/// A client of one namespace that loses its connection and comes back as the official one does: with the private id of its session
/// and the last text that an event has ended with.
package final class ReturningClient {
    package let namespace: String
    package let transport: EIOOptions.Transport
    package private(set) var client: SIOClient
    /// What the server has said when the namespace was joined.
    package private(set) var id = ""
    package private(set) var pid: String?
    package private(set) var recovered = false
    package private(set) var failure: String?
    package var offset: String?

    private init(namespace: String, transport: EIOOptions.Transport, client: SIOClient) {
        self.namespace = namespace
        self.transport = transport
        self.client = client
    }

    package static func join(
        _ port: Int, _ namespace: String = "/", _ transport: EIOOptions.Transport = .websocket,
        auth: [String: String] = [:]
    ) async throws -> ReturningClient {
        let client = try await SIOClient.open(EIOOptions(port: port, transport: transport))
        let returning = ReturningClient(namespace: namespace, transport: transport, client: client)
        try await returning.connect(auth)
        return returning
    }

    private func connect(_ auth: [String: String]) async throws {
        var data = auth
        if let pid { data["pid"] = data["pid"] ?? pid }
        if pid != nil, let offset { data["offset"] = data["offset"] ?? offset }
        let members = data.sorted { $0.key < $1.key }.map { "\(jsonString($0.key)):\(jsonString($0.value))" }
        let json = data.isEmpty ? nil : "{" + members.joined(separator: ",") + "}"
        let reply = try await client.connectForReply(namespace, auth: json)
        let answer = try JSONSerialization.jsonObject(with: Data(reply.utf8)) as? [String: Any] ?? [:]
        let newPid = answer["pid"] as? String
        recovered = newPid != nil && newPid == pid
        id = answer["sid"] as? String ?? ""
        pid = newPid
        failure = answer["recovery"] as? String
    }

    /// The connection breaks. With a WebSocket it is cut; a polling client says that it closes, as the tests of the reference do.
    package func lose() async throws {
        if let webSocket = client.session.webSocket {
            await webSocket.connection.reset()
        } else {
            try client.session.sendPacket("1")
            _ = try? await client.waitForDisconnect(namespace)
        }
    }

    /// Comes back, to another server if a port is given.
    package func comeBack(_ port: Int, auth: [String: String] = [:]) async throws {
        client = try await SIOClient.open(EIOOptions(port: port, transport: transport))
        try await connect(auth)
    }

    /// The next event: its name, and its arguments as texts without the offset, which is noted.
    package func next() async throws -> String {
        let event = try await client.nextEvent(namespace)
        var arguments = event.arguments.values
        if event.id == nil, let last = arguments.last as? String {
            offset = last
            arguments.removeLast()
        }
        return ([event.name] + arguments.map { "\($0)" }).joined(separator: " ")
    }

    package func next(_ count: Int) async throws -> [String] {
        var events: [String] = []
        for _ in 0..<count { events.append(try await next()) }
        return events
    }

    package func close() async { await client.close() }
}
