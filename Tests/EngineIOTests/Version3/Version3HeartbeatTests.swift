import Foundation
import NIOCore
import TestSupport
import Testing

@testable import EngineIO

func base64Bytes(_ text: String) -> [UInt8]? { Data(base64Encoded: text).map { Array($0) } }

extension OneByOne {
    /// In protocol 3 the client pings.
    struct Version3HeartbeatTests {
        private static let query = "EIO=3&transport=websocket"

        private static func short(_ configuration: inout EngineIOConfiguration) {
            configuration.allowEIO3 = true
            configuration.pingInterval = .milliseconds(50)
            configuration.pingTimeout = .milliseconds(50)
        }

        @Test func silenceEndsTheSession() async throws {
            try await withServer(Self.short) { server in
                let webSocket = try await server.webSocket(Self.query)
                _ = try await webSocket.nextText()
                // No ping of the server comes before its end.
                #expect(try await webSocket.expectClose() == nil)
                #expect(try await server.onlyEnd() == "ping timeout")
            }
        }

        @Test func messagesAreNoPings() async throws {
            try await withServer(Self.short) { server in
                let webSocket = try await server.webSocket(Self.query)
                let sender = Task {
                    while !Task.isCancelled {
                        try await webSocket.send("4x")
                        try await Task.sleep(for: .milliseconds(1))
                    }
                }
                #expect(try await server.onlyEnd() == "ping timeout")
                sender.cancel()
                _ = await sender.result
            }
        }

        @Test func pingsKeepTheSession() async throws {
            try await withServer {
                $0.allowEIO3 = true
                $0.pingInterval = .milliseconds(50)
                $0.pingTimeout = .seconds(60)
            } _: { server in
                let webSocket = try await server.webSocket(Self.query)
                _ = try await webSocket.nextText()
                let session = try #require(server.log.value.sessions.last)
                let before = session.state.withLock { $0.heartbeat.nextDeadline }
                try await webSocket.send("2")
                try await webSocket.expectText("3")
                #expect(session.state.withLock { $0.heartbeat.nextDeadline } > before)
            }
        }

        @Test func pongsAreAnError() async throws {
            try await withServer {
                $0.allowEIO3 = true
            } _: { server in
                let webSocket = try await server.webSocket(Self.query)
                _ = try await webSocket.nextText()
                try await webSocket.send("3")
                #expect(try await webSocket.expectClose() == nil)
                #expect(try await server.onlyEnd() == "transport error")
            }
        }

        /// Who pings and reads nothing fills no memory.
        @Test func onePongWaits() async throws {
            try await withServer {
                $0.allowEIO3 = true
            } _: { server in
                let path = "/engine.io/?EIO=3&transport=polling"
                let reply = try await server.http.request("GET", path)
                #expect(reply.status == 200)
                let session = try #require(server.log.value.sessions.last)
                let body = String(repeating: "1:2", count: 9000)
                #expect(
                    try await server.http.request("POST", path + "&sid=\(session.id)", body: .text(body)).text == "ok")
                #expect(session.bufferedBytes == 3)
                #expect(try await server.http.request("GET", path + "&sid=\(session.id)").text == "1:3")
            }
        }
    }
}
