import Dispatch

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The streams of this program without buffers.
enum StandardStreams {
    static var isOutputTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Writing to a pipe that nobody reads any more is an error, not the end.
    static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

    /// False if nobody reads it any more.
    static func write(_ text: String, toError: Bool = false) -> Bool {
        Self.write(text, to: toError ? STDERR_FILENO : STDOUT_FILENO)
    }

    /// All of it; false if that can't be.
    static func write(_ text: String, to descriptor: Int32) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = Self.write(descriptor, rest)
                if count > 0 {
                    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
                } else if errno == EAGAIN || errno == EWOULDBLOCK {
                    // Others that share a terminal or pipe may have made it so.
                    var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&wanted, 1, -1)
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
    }

    private static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Darwin)
            Darwin.write(descriptor, bytes.baseAddress, bytes.count)
        #elseif canImport(Glibc)
            Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #else
            Musl.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }

    /// Reads standard input on a thread of its own until it ends, which is an empty array.
    static func readInput(_ receive: @escaping @Sendable ([UInt8]) -> Void) {
        DispatchQueue(label: "socketio.input").async {
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            while true {
                let count = read(STDIN_FILENO, &buffer, buffer.count)
                if count > 0 {
                    receive(Array(buffer[..<count]))
                } else if count < 0, errno == EAGAIN || errno == EWOULDBLOCK {
                    var wanted = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
                    poll(&wanted, 1, -1)
                } else if count == 0 || errno != EINTR {
                    break
                }
            }
            receive([])
        }
    }
}
