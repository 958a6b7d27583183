import NIOCore
import NIOHTTP1
import Testing

@testable import EngineIOClient

struct RefusalTests {
    private static func url() throws -> EngineURL { try EngineURL("http://h:3000") }

    private static func refusal(_ status: Int, _ body: String, location: String? = nil) throws -> EngineClientError {
        var headers = HTTPHeaders()
        if let location { headers.add(name: "Location", value: location) }
        let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers)
        return Refusal.status(
            HTTPAnswer(head: head, body: ByteBuffer(string: body)), url: try self.url(), path: "/socket.io/")
    }

    @Test(arguments: [
        (400, #"{"code":0,"message":"Transport unknown"}"#, EngineClientError.Code.transportUnknown),
        (400, "Transport unknown", .transportUnknown),
        (400, #"{"code":1,"message":"Session ID unknown"}"#, .sessionUnknown),
        (400, "Session ID unknown", .sessionUnknown),
        (400, #"{"code":3,"message":"Bad request"}"#, .unexpectedStatus),
        (400, #"{"code":5,"message":"Unsupported protocol version"}"#, .unsupportedProtocol),
        (400, "", .unexpectedStatus), (302, "", .redirected), (401, "who?", .unauthorized), (403, "", .forbidden),
        (404, "", .notFound), (413, "", .payloadTooLarge), (500, "", .serverUnavailable), (503, "", .serverUnavailable),
        (204, "", .unexpectedStatus), (418, "", .unexpectedStatus),
    ])
    func codes(status: Int, body: String, code: EngineClientError.Code) throws {
        let error = try Self.refusal(status, body)
        #expect(error.code == code)
        #expect(error.status == status)
        #expect(error.message.contains("http://h:3000"))
    }

    @Test func whatTheServerSays() throws {
        #expect(try Self.refusal(403, #"{"code":4,"message":"not today"}"#).serverMessage == "not today")
        #expect(try Self.refusal(403, "").serverMessage == nil)
        let long = try Self.refusal(500, String(repeating: "é", count: 100_000))
        #expect(long.serverMessage?.count == 1000)
        #expect(try Self.refusal(500, "a\r\nb").serverMessage == "a  b")
        #expect(try Self.refusal(301, "", location: "https://h/").message.contains("https://h/"))
        #expect(try Self.refusal(404, "").message.contains("/socket.io/"))
    }

    @Test(arguments: [
        ("97:0{\"sid\":\"a\"}2:40", EngineClientError.Code.unsupportedProtocol), ("<!DOCTYPE html>", .notSocketIO),
        ("", .notSocketIO), ("97:", .notSocketIO), ("0{}", .notSocketIO),
    ])
    func handshakes(body: String, code: EngineClientError.Code) throws {
        #expect(Refusal.noHandshake(ByteBuffer(string: body), url: try Self.url()).code == code)
    }

    @Test func description() {
        #expect("\(EngineClientError(.refused, "no server"))" == "connection refused: no server")
    }
}
