import NIOCore
import TestSupport
import Testing

@testable import EngineIO

/// Polling by script elements; the reference's exchanges are in `VectorTests`.
struct JSONPTests {
    private static func path(_ version: Int, _ sid: String? = nil) -> String {
        "/engine.io/?EIO=\(version)&transport=polling&j=7" + (sid.map { "&sid=\($0)" } ?? "")
    }

    @Test func ignoredUnlessAllowed() async throws {
        try await withServer {
            $0.allowEIO3 = true
        } _: { server in
            let new = try await server.http.request("GET", Self.path(4)).text
            #expect(new.hasPrefix("0{"))
            let old = try await server.http.request("GET", Self.path(3)).text
            #expect(old.contains(":0{"))
        }
    }

    @Test func needsNoOldProtocol() async throws {
        try await withServer {
            $0.allowJSONP = true
        } _: { server in
            let open = try await server.http.request("GET", Self.path(4)).text
            #expect(open.hasPrefix(#"___eio[7]("0{\"sid\":\""#), "\(open)")
            #expect(try await server.http.request("GET", Self.path(3)).status == 400)
        }
    }

    /// Binary data, which a script can't have, is base64; the end of a session has the form too.
    @Test(arguments: [3, 4]) func allAnswersAreScripts(version: Int) async throws {
        try await withServer {
            $0.allowEIO3 = true
            $0.allowJSONP = true
        } _: { server in
            #expect(try await server.http.request("GET", Self.path(version)).status == 200)
            let session = try #require(server.log.value.sessions.last)
            session.send(binary: ByteBuffer(bytes: [1, 2, 3]))
            session.send(text: "\u{2028}")
            let path = Self.path(version, session.id)
            let reply = try await server.http.request("GET", path)
            let separated = version == 3 ? #"6:b4AQID2:4\u2028"# : #"bAQID\u001e4\u2028"#
            #expect(reply.text == "___eio[7](\"\(separated)\");")
            #expect(reply.headers["content-type"] == "text/plain; charset=UTF-8")
            session.close()
            let last = version == 3 ? "1:61:1" : #"6\u001e1"#
            #expect(try await server.http.request("GET", path).text == "___eio[7](\"\(last)\");")
        }
    }

    @Test func malformedForms() async throws {
        try await withServer {
            $0.allowJSONP = true
        } _: { server in
            #expect(try await server.http.request("GET", Self.path(4)).status == 200)
            let session = try #require(server.log.value.sessions.last)
            let path = Self.path(4, session.id)
            // Nothing in it, as far as the reference is concerned.
            for body in ["", "x=4a", "d=4a&d=4b"] {
                #expect(try await server.http.request("POST", path, body: .text(body)).text == "ok")
            }
            #expect(session.isOpen)
            #expect(try await server.http.request("POST", path, body: .text("d=%ff")).text == "ok")
            #expect(try await server.end(session.id) == "parse error")
            #expect(server.log.value.messages.isEmpty)
        }
    }
}
