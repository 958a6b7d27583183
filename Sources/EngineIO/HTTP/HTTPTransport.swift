import NIOCore
import NIOHTTP1

/// What a connection does for its ``HTTPHandler``: the way of its answers. The handler knows nothing of bytes, so that the
/// requests may come from the pipeline of another server as well.
///
/// All calls are made on the event loop of the connection.
protocol HTTPTransport: AnyObject {
    /// Whether the client takes what was written before.
    var isWritable: Bool { get }
    var remoteAddress: SocketAddress? { get }
    /// Nothing lies between the connection's handler and its socket that has to see what is written.
    var isDirect: Bool { get }
    /// The connection is over TLS.
    var isSecure: Bool { get }

    /// Tells a client that asked that its body is wanted.
    func inviteBody()
    /// Writes a whole answer.
    func send(_ response: HTTPResponse)
    /// The handler takes another request: what has come meanwhile, or comes.
    func resume()
    /// Says that nothing more will be written, behind what was, and calls `done` then.
    func closeOutput(_ done: @escaping @Sendable () -> Void)
    /// Ends the connection at once.
    func close()
    /// Writes the answer 101 and makes `webSocket` the user of the connection, then calls `start`, then hands over what has come
    /// behind the request. The answer leaves with the first packet.
    func switchProtocols(_ headers: HTTPHeaders, to webSocket: WebSocketHandler, start: () -> Void)
}
