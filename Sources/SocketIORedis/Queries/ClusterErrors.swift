import RESP
import SocketIO
import SocketIOCore

extension SocketIOError.Code {
    /// The other servers of the cluster can't be reached: what was to be sent to them was not.
    public static let clusterUnavailable = Self(rawValue: "cluster_unavailable")
}

extension SocketIOError {
    /// Redis did not take an event or a request.
    static func notSent(_ what: String, _ cause: any Error) -> SocketIOError {
        if let error = cause as? SocketIOError { return error }
        return SocketIOError(.clusterUnavailable, "\(what) can't be passed on to the other servers", cause: cause)
    }
}
