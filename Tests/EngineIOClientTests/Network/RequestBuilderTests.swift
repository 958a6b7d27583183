import NIOCore
import NIOHTTP1
import Testing

@testable import EngineIOClient

struct RequestBuilderTests {
    private static func builder(
        _ url: String = "https://h:8443", path: String = "/socket.io/", cookies: CookieJar = CookieJar(),
        _ configure: (inout EngineClientConfiguration) -> Void = { _ in }
    ) throws -> RequestBuilder {
        var configuration = EngineClientConfiguration(url: try EngineURL(url), path: path)
        configure(&configuration)
        return try RequestBuilder(configuration, cookies: cookies)
    }

    @Test func targets() throws {
        var builder = try Self.builder { $0.query = [("token", "a b&c=ü"), ("x", "")] }
        let first = builder.target(.polling, sid: nil)
        let second = builder.target(.polling, sid: "s+1")
        #expect(first.hasPrefix("/socket.io/?token=a%20b%26c%3D%C3%BC&x=&EIO=4&transport=polling&t="))
        #expect(second.hasSuffix("&sid=s%2B1"))
        // Each is another.
        #expect(first.split(separator: "&").last != second.split(separator: "&").dropLast().last)
        #expect(
            builder.target(.websocket, sid: "s")
                == "/socket.io/?token=a%20b%26c%3D%C3%BC&x=&EIO=4&transport=websocket&sid=s")
    }

    @Test(arguments: [
        ("/socket.io", "/socket.io/"), ("socket.io/", "/socket.io/"), ("/", "/"),
        ("/a b/ü?x#y", "/a%20b/%C3%BC%3Fx%23y/"),
        ("/a%20b/", "/a%20b/"), ("/x\r\nEvil: 1", "/x%0D%0AEvil:%201/"),
    ])
    func paths(path: String, expected: String) throws {
        var builder = try Self.builder(path: path)
        #expect(builder.target(.websocket, sid: nil) == expected + "?EIO=4&transport=websocket")
    }

    @Test func headers() throws {
        let cookies = CookieJar()
        cookies.store(["io=1; Path=/", "insecure=2; Path=/"], requestPath: "/", now: WallClock.now)
        var builder = try Self.builder(cookies: cookies) {
            $0.extraHeaders = [
                ("Authorization", "Bearer x"), ("accept", "text/plain"), ("Cookie", "mine=0"), ("A", "1"), ("A", "2"),
            ]
        }
        let get = builder.poll(sid: nil)
        #expect(get.headers["host"] == ["h:8443"])
        #expect(get.headers["accept"] == ["text/plain"])
        #expect(get.headers["user-agent"] == ["swift-socketio"])
        #expect(get.headers["authorization"] == ["Bearer x"])
        #expect(get.headers["a"] == ["1", "2"])
        #expect(get.headers["cookie"] == ["mine=0; io=1; insecure=2"])
        let post = builder.post(ByteBuffer(string: "4ü"), sid: "s")
        #expect(post.method == .POST)
        #expect(post.headers["content-type"] == ["text/plain;charset=UTF-8"])
        #expect(post.headers["content-length"] == ["3"])
        let webSocket = builder.webSocket(key: "k", sid: nil)
        #expect(webSocket.headers["upgrade"] == ["websocket"])
        #expect(webSocket.headers["sec-websocket-key"] == ["k"])
        #expect(webSocket.headers["authorization"] == ["Bearer x"])
    }

    @Test(arguments: [
        ("A\r\nB", "1"), ("", "1"), ("A B", "1"), ("A:", "1"), ("A", "1\r\nB: 2"), ("A", "1\u{0}"),
        ("Connection", "close"),
        ("content-length", "1"), ("Accept-Encoding", "gzip"), ("Sec-WebSocket-Protocol", "x"), ("Ü", "1"),
    ])
    func refusedHeaders(name: String, value: String) {
        #expect {
            try Self.builder { $0.extraHeaders = [(name, value)] }
        } throws: { ($0 as? EngineClientError)?.code == .invalidConfiguration }
    }
}
