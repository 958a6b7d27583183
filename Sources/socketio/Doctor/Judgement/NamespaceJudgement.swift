import NIOCore
import SocketIOClient

/// What the server has answered to who wants to join a namespace.
enum NamespaceJudgement {
    /// The packet that asks.
    static func connect(_ namespace: String, auth: String?) -> String {
        "40" + (namespace == "/" ? "" : namespace + ",") + (auth ?? "")
    }

    /// Whether a packet is the answer.
    static func isAnswer(_ packet: String) -> Bool { packet.hasPrefix("40") || packet.hasPrefix("44") }

    /// - Parameter packet: nil if none has come.
    static func judge(_ packet: String?, namespace: String, hasAuth: Bool) -> Finding {
        let name = SafeText.escape(namespace)
        guard let packet else {
            return .failure(
                .namespace, "asking to join \(name) is not answered",
                "A middleware of the server may neither let in nor refuse (`next()` is not called), or waits for something."
            )
        }
        let rest = self.data(packet, namespace)
        let value = self.value(rest)
        if packet.hasPrefix("40") {
            let id = value?["sid"]?.stringValue.map { " as \(SafeText.escape(String($0.prefix(32))))" } ?? ""
            return .ok(.namespace, "joined \(name)\(id)")
        }
        let message = value?["message"]?.stringValue ?? value?.stringValue ?? rest
        let data = value?["data"].map { " \(ValuePrinter().text($0))" } ?? ""
        let seen = "the server refuses \(name): \(SafeText.escape(String((message + data).prefix(300))))"
        if message == "Invalid namespace" || message == "Unable to connect" {
            return .failure(
                .namespace, seen,
                "There is no such namespace: correct the URL's path or --namespace, or register it at the server.")
        }
        return .failure(
            .namespace, seen,
            hasAuth
                ? "A middleware of the server has said so: is what --auth shows right, and not too old?"
                : "A middleware of the server has said so: it may want to be shown something; give --auth or --header.")
    }

    static func judge(_ failure: WireFailure, namespace: String, hasAuth: Bool) -> Finding {
        if failure == .timeout || failure == .closed { return self.judge(nil, namespace: namespace, hasAuth: hasAuth) }
        return .failure(
            .namespace, "asking to join \(SafeText.escape(namespace)) \(failure.words)", "Look at the server's log.")
    }

    private static func data(_ packet: String, _ namespace: String) -> String {
        let rest = packet.dropFirst(2)
        let prefix = namespace.prefix { $0 != "?" } + ","
        return String(rest.hasPrefix(prefix) ? rest.dropFirst(prefix.count) : rest)
    }

    private static func value(_ text: String) -> SocketIOValue? {
        guard var reader = try? ArgumentReader(checking: ByteBuffer(string: "[\(text)]")) else { return nil }
        return try? reader.nextValue()
    }
}
