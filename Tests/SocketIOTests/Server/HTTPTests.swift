import Foundation
import SocketIO
import TestSupport
import Testing

/// What is asked of a Socket.IO server by HTTP.
@Suite struct HTTPTests {
    @Test func crossOrigin() async throws {
        try await withServer {
            $0.engine.cors = .origins("http://localhost:54023")
            $0.engine.cors.methods = ["GET", "POST"]
            $0.engine.cors.allowedHeaders = ["content-type"]
            $0.engine.cors.credentials = true
        } _: { _, port in
            let http = HTTPClient1(port: port)
            let origin = [("Origin", "http://localhost:54023")]
            let preflight = try await http.request("OPTIONS", "/socket.io/", headers: origin)
            #expect(preflight.status == 204)
            #expect(preflight.headers["access-control-allow-origin"] == "http://localhost:54023")
            #expect(preflight.headers["access-control-allow-methods"] == "GET,POST")
            #expect(preflight.headers["access-control-allow-headers"] == "content-type")
            #expect(preflight.headers["access-control-allow-credentials"] == "true")
            let get = try await http.request("GET", "/socket.io/?EIO=4&transport=polling", headers: origin)
            #expect(get.status == 200)
            #expect(get.headers["access-control-allow-origin"] == "http://localhost:54023")
            #expect(get.headers["access-control-allow-credentials"] == "true")
            await http.close()
        }
    }

    @Test func admission() async throws {
        try await withServer {
            $0.engine.allowRequest = { request in
                await Task.yield()
                return request.query["token"] == "good" ? .allow : .refuse(reason: "no token")
            }
        } _: { io, port in
            let good = try await open(port, query: "token=good")
            try await good.connect()
            do {
                _ = try await open(port, .polling, query: "token=bad")
                Issue.record("admitted")
            } catch let refused as EIORefused {
                #expect(refused.status == 403)
                #expect(refused.reply.text == "{\"code\":4,\"message\":\"no token\"}")
            }
            #expect(io.connectionCount == 1)
        }
    }

    /// Clients of the protocol before are told so.
    @Test func olderProtocol() async throws {
        try await withServer { _, port in
            let http = HTTPClient1(port: port)
            let reply = try await http.request("GET", "/socket.io/?EIO=3&transport=polling")
            #expect(reply.status == 400)
            #expect(reply.text == "{\"code\":5,\"message\":\"Unsupported protocol version\"}")
            await http.close()
        }
    }

    /// Other paths belong to the application.
    @Test func otherPaths() async throws {
        try await withServer {
            $0.engine.fallback = { request in
                request.url == "/hello" ? EngineIOResponse(status: .ok, body: .init(string: "hi")) : .notFound
            }
        } _: { _, port in
            let http = HTTPClient1(port: port)
            let hello = try await http.request("GET", "/hello")
            #expect(hello.text == "hi")
            let other = try await http.request("GET", "/other")
            #expect(other.status == 404)
            await http.close()
        }
    }
}

/// The files of the JavaScript client, which the server hands out from a directory.
@Suite struct ClientFilesTests {
    private static let script = "/* the client */"

    /// A directory with the client, a file that is none of its, and one outside; removed afterwards.
    private func withFiles(_ body: (HTTPClient1) async throws -> Void) async throws {
        let outside = FileManager.default.temporaryDirectory.appendingPathComponent("sio-\(UUID().uuidString)")
        let directory = outside.appendingPathComponent("dist")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: outside) }
        for name in ["socket.io.js", "socket.io.min.js", "socket.io.msgpack.min.js", "socket.io.esm.min.js"] {
            try Self.script.write(to: directory.appendingPathComponent(name), atomically: true, encoding: .utf8)
            try "{}".write(to: directory.appendingPathComponent(name + ".map"), atomically: true, encoding: .utf8)
        }
        try "secret".write(to: directory.appendingPathComponent("socket.io.esm.js"), atomically: true, encoding: .utf8)
        try "secret".write(to: outside.appendingPathComponent("secret.js"), atomically: true, encoding: .utf8)
        try await withServer {
            $0.clientDirectory = directory.path
            $0.engine.cors = .origins("http://elsewhere")
        } _: { _, port in
            let http = HTTPClient1(port: port)
            try await body(http)
            await http.close()
        }
    }

    @Test func allFiles() async throws {
        try await self.withFiles { http in
            for name in ["socket.io.js", "socket.io.min.js", "socket.io.msgpack.min.js", "socket.io.esm.min.js"] {
                let reply = try await http.request(
                    "GET", "/socket.io/\(name)?v=1", headers: [("Origin", "http://elsewhere")])
                #expect(reply.status == 200, "\(name)")
                #expect(reply.text == Self.script)
                #expect(reply.headers["content-type"] == "application/javascript; charset=utf-8")
                #expect(reply.headers["access-control-allow-origin"] == "http://elsewhere")
                let map = try await http.request("GET", "/socket.io/\(name).map")
                #expect(map.status == 200)
                #expect(map.headers["content-type"] == "application/json; charset=utf-8")
                #expect(map.text == "{}")
            }
            let head = try await http.request("HEAD", "/socket.io/socket.io.js")
            #expect(head.status == 200)
            #expect(head.headers["content-length"] == "\(Self.script.utf8.count)")
        }
    }

    @Test func entityTags() async throws {
        try await self.withFiles { http in
            let etag = try #require(try await http.request("GET", "/socket.io/socket.io.js").headers["etag"])
            #expect(etag.hasPrefix("\"") && etag.hasSuffix("\""))
            for known in [etag, "W/" + etag, "\"other\", " + etag, "*"] {
                let reply = try await http.request(
                    "GET", "/socket.io/socket.io.js", headers: [("If-None-Match", known)])
                #expect(reply.status == 304, "\(known)")
                #expect(reply.headers["etag"] == etag)
                #expect(reply.body.isEmpty)
            }
            let reply = try await http.request(
                "GET", "/socket.io/socket.io.js", headers: [("If-None-Match", "\"other\"")])
            #expect(reply.status == 200)
        }
    }

    @Test func nothingElse() async throws {
        try await self.withFiles { http in
            for name in [
                "socket.io.esm.js", "../secret.js", "..%2fsecret.js", "dist/socket.io.js", "./socket.io.js",
                "socket.io.js/", "socket.io.js%00", "SOCKET.IO.JS", "..\\secret.js", "/etc/passwd",
            ] {
                let reply = try await http.request("GET", "/socket.io/\(name)")
                #expect(reply.status == 400, "\(name)")
                #expect(!reply.text.contains("secret"))
            }
            #expect(try await http.request("GET", "/socket.io.js").status == 404)
            #expect(try await http.request("GET", "/other/socket.io.js").status == 404)
            #expect(try await http.request("POST", "/socket.io/socket.io.js").status == 400)
        }
    }

    @Test func withoutADirectory() async throws {
        try await withServer { _, port in
            let http = HTTPClient1(port: port)
            let reply = try await http.request("GET", "/socket.io/socket.io.js")
            #expect(reply.status == 400)
            #expect(reply.text == "{\"code\":0,\"message\":\"Transport unknown\"}")
            await http.close()
        }
        var configuration = SocketIOConfiguration()
        configuration.clientDirectory = "/nowhere"
        let io = SocketIOServer(configuration: configuration)
        await #expect { try await io.start(port: 0) } throws: { ($0 as? SocketIOError)?.code == .missingClient }
        await io.close()
    }
}
