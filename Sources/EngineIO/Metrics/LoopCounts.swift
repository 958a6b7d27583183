/// What an event loop has done, in plain integers that only its thread touches. They are counted whether anybody wants to know
/// or not: an addition is cheaper than a question. They wrap.
package struct LoopCounts: Sendable {
    package struct Transport: Sendable {
        package var packetsReceived = 0
        package var packetsSent = 0
        package var bytesReceived = 0
        package var bytesSent = 0

        @inline(__always)
        mutating func sent(packets: Int, bytes: Int) {
            self.packetsSent &+= packets
            self.bytesSent &+= bytes
        }
    }

    package var polling = Transport()
    package var webSocket = Transport()
    /// Events of clients that had listeners; counted with metrics only.
    package var events = 0
    /// Async handlers that were to start on this loop; counted with metrics or tracing only. Whoever has called a handler tells
    /// by it of which kind that was.
    package var asyncHandlers = 0

    package init() {}
}
