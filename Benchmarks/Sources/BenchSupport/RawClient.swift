#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A client that allocates nothing while it exchanges messages: what is counted is the server's.
public final class RawClient {
    private let descriptor: Int32
    private let buffer: UnsafeMutableRawBufferPointer

    public init(port: Int) throws {
        self.buffer = .allocate(byteCount: 1 << 16, alignment: 8)
        #if canImport(Glibc)
            let stream = Int32(SOCK_STREAM.rawValue)
        #else
            let stream = SOCK_STREAM
        #endif
        self.descriptor = socket(AF_INET, stream, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(self.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw CheckFailure("can't connect to port \(port)") }
        var on: Int32 = 1
        setsockopt(self.descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit {
        close(self.descriptor)
        self.buffer.deallocate()
    }

    /// Sends all of `bytes`.
    public func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { rest in
                write(self.descriptor, rest.baseAddress.map { $0 + sent }, bytes.count - sent)
            }
            guard count > 0 else { throw CheckFailure("the server has closed the connection") }
            sent += count
        }
    }

    /// Reads exactly `count` bytes and throws them away.
    public func receive(_ count: Int) throws {
        var left = count
        while left > 0 {
            let got = read(self.descriptor, self.buffer.baseAddress, min(left, self.buffer.count))
            guard got > 0 else { throw CheckFailure("the server has closed the connection") }
            left -= got
        }
    }

    /// Appends what comes next, some bytes at least.
    public func receiveSome(into bytes: inout [UInt8]) throws {
        let got = read(self.descriptor, self.buffer.baseAddress, self.buffer.count)
        guard got > 0 else { throw CheckFailure("the server has closed the connection") }
        bytes += UnsafeRawBufferPointer(rebasing: self.buffer[..<got])
    }

    /// Reads until `end` has come.
    public func receive(until end: String) throws -> String {
        var text = ""
        while !text.contains(end) {
            let got = read(self.descriptor, self.buffer.baseAddress, self.buffer.count)
            guard got > 0 else { throw CheckFailure("the server has closed the connection") }
            text += String(decoding: UnsafeRawBufferPointer(rebasing: self.buffer[..<got]), as: UTF8.self)
        }
        return text
    }

    /// Opens a WebSocket and joins the namespace `/`.
    public func join() throws {
        try self.send(
            Array(
                """
                GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
                Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n
                """.utf8))
        _ = try self.receive(until: "maxPayload")
        try self.send(Self.frame(0x1, Array("40".utf8)))
        _ = try self.receive(until: "}")
    }

    /// A masked frame of up to 65,535 bytes.
    public static func frame(_ opcode: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let key: [UInt8] = [1, 2, 3, 4]
        var frame: [UInt8] = [0x80 | opcode]
        if payload.count < 126 {
            frame.append(0x80 | UInt8(payload.count))
        } else {
            frame += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xff)]
        }
        return frame + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
    }
}

public struct CheckFailure: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
