import SocketIOClient

/// Errors of the client in the words of this command, on one line and safe for a terminal.
enum ConnectErrors {
    static func explain(_ error: any Error, namespace: String) -> String {
        SafeText.escape(Self.text(error, namespace))
    }

    private static func text(_ error: any Error, _ namespace: String) -> String {
        switch error {
        case let error as ConnectError:
            let data = error.data.map { " \(ValuePrinter().text($0))" } ?? ""
            return "the server refuses the namespace \(namespace): \(error.message)\(data)"
        case let error as EngineClientError: return error.message
        case let error as SocketIOError:
            guard let cause = error.cause else { return error.message }
            return "\(error.message) (\(Self.text(cause, namespace)))"
        case let error as CommandFailure:
            let prefix = "socketio: "
            return error.description.hasPrefix(prefix)
                ? String(error.description.dropFirst(prefix.count)) : error.description
        default: return "\(error)"
        }
    }

    static func explain(_ disconnection: Disconnection, namespace: String) -> String {
        guard let error = disconnection.error else { return SafeText.escape(disconnection.reason.rawValue) }
        return SafeText.escape(disconnection.reason.rawValue) + ": " + Self.explain(error, namespace: namespace)
    }
}
