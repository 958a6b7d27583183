import Foundation
import NIOCore
import SocketIO
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIORedis

/// Questions to a cluster, without a cluster.
@Suite struct ClusterQueryTests {
    @Test func completeAtOnce() async throws {
        let query = ClusterQuery<Int>()
        query.receive([1])
        query.expect(2)
        #expect(!query.isDone)
        query.receive([2, 3])
        try await query.wait(for: .seconds(600))
        query.receive([4])
        let answer = query.answer()
        #expect(answer.elements == [1, 2, 3] && answer.isComplete && answer.missingServers.isEmpty)
    }

    @Test func nobodyToAsk() async throws {
        let none = ClusterQuery<Int>()
        none.expect(0)
        try await none.wait(for: .seconds(600))
        let named = ClusterQuery<Int>()
        named.expect([String]())
        try await named.wait(for: .seconds(600))
        #expect(named.answer().isComplete)
    }

    @Test func namedServersAnswerOnce() async throws {
        let query = ClusterQuery<Int>()
        query.receive([1], from: "a")
        query.expect(["a", "b", "c", "d"])
        query.receive([1], from: "a")
        query.forget("d")
        query.forget("a")
        query.forget("stranger")
        query.receive([2], from: "b")
        let late = Awaited<Bool>(false)
        try await query.wait(for: .milliseconds(20)) { late.update { $0 = true } }
        #expect(late.value)
        let answer = query.answer()
        #expect(answer.elements == [1, 2] && answer.missingServerCount == 1 && answer.missingServers == ["c"])
    }

    /// With answers that don't say whose they are there may be more names than servers missing.
    @Test func anonymousAnswers() async throws {
        let query = ClusterQuery<Int>()
        query.expect(3)
        query.receive([1])
        query.name(["a", "b", "c"])
        #expect(query.answer().missingServers == ["a", "b", "c"])
        query.hasAnswered("a")
        let answer = query.answer()
        #expect(answer.missingServerCount == 2 && answer.missingServers == ["b", "c"])
        #expect(ClusterQuery<Int>().answer(ifUnknown: 4).missingServerCount == 4)
    }

    @Test func registry() async throws {
        let queries = ClusterQueries<Int>(limit: 1)
        let answer = try await queries.ask("a", timeout: .seconds(600)) { query in
            query.expect(1)
            #expect(queries["a"] === query && queries["b"] == nil)
            queries["a"]?.receive([7])
        }
        #expect(answer.elements == [7] && queries.count == 0)
        async let first = queries.ask("a", timeout: .seconds(600)) { $0.expect(["x"]) }
        try await eventually("it waits") { queries.count == 1 }
        await #expect(throws: SocketIOError.self) { try await queries.ask("b", timeout: .zero) { $0.expect(1) } }
        queries.forget("x")
        #expect(try await first.isComplete)
        await #expect(throws: TestFailure.self) {
            try await queries.ask("c", timeout: .seconds(600)) { _ in throw TestFailure() }
        }
        #expect(queries.count == 0)
        queries.close()
        #expect(try await queries.ask("d", timeout: .seconds(600)) { $0.expect(2) }.missingServerCount == 2)
    }

    private struct TestFailure: Error {}

    @Test func recentIDs() {
        var ids = RecentIDs(limit: 3)
        #expect(["a", "b", "a", "c", "d"].map { ids.insert($0) } == [true, true, false, true, true])
        #expect(!ids.contains("a") && ids.contains("b") && ids.contains("c") && ids.contains("d"))
        let isTaken = ids.insert(String(repeating: "x", count: 65))
        #expect(!isTaken)
        for number in 0..<1000 { ids.insert("\(number)") }
        #expect(["997", "998", "999"].allSatisfy { ids.contains($0) } && !ids.contains("d"))
    }

    @Test(arguments: [
        (1_795_336_890.492, "Sun Nov 22 2026 08:41:30"), (0, "Thu Jan 01 1970 00:00:00"),
        (951_782_400, "Tue Feb 29 2000 00:00:00"), (-1, "Wed Dec 31 1969 23:59:59"),
        (4_102_444_799, "Thu Dec 31 2099 23:59:59"), (1_709_164_800, "Thu Feb 29 2024 00:00:00"),
    ]) func javaScriptDates(_ time: Double, _ text: String) {
        let date = Date(timeIntervalSince1970: time)
        #expect(JavaScriptDate.text(date) == text + " GMT+0000 (Coordinated Universal Time)")
    }

    @Test func socketsAsValues() throws {
        let socket = SocketDescription(
            id: "id",
            handshake: Handshake(
                headers: ["Host": "h", "x-a": "1", "X-A": "2", "cookie": "a=1", "Cookie": "b=2", "set-cookie": "c"],
                query: ["EIO": "4", "b": "c"], auth: ["token": 1], address: "::1",
                time: Date(timeIntervalSince1970: 1.5), secure: true, xdomain: true, url: "/u"),
            rooms: ["z", "id", "a"], data: ["k": .binary(ByteBuffer(bytes: [1]))])
        let value = socket.value
        #expect(value["rooms"] == ["id", "a", "z"])
        #expect(
            value["handshake"]?["headers"] == ["host": "h", "x-a": "1, 2", "cookie": "a=1; b=2", "set-cookie": ["c"]])
        let back = try #require(SocketDescription(value))
        #expect(back.id == "id" && back.rooms == socket.rooms && back.data == socket.data)
        #expect(back.handshake.query == socket.handshake.query && back.handshake.time == socket.handshake.time)
        #expect(back.handshake.auth == ["token": 1] && back.handshake.secure && back.handshake.xdomain)
        #expect(back.handshake.headers["x-a"] == ["1, 2"] && back.handshake.url == "/u")
        #expect(
            try String(buffer: JSONText.write(["d": value["data"] ?? .null]))
                == #"{"d":{"k":{"type":"Buffer","data":[1]}}}"#)
        // What others leave out, or write in another way.
        let bare = try #require(SocketDescription(["id": "x", "rooms": [1, nil], "handshake": ["issued": 1e300]]))
        #expect(bare.rooms == ["1"] && bare.handshake.issued == 0 && bare.data.isEmpty)
        #expect(SocketDescription(["rooms": []]) == nil && SocketDescription(.null) == nil)
    }

    @Test func jsonText() throws {
        #expect(try JSONText.read(ByteBuffer(string: " {\"a\":[1]} ")) == ["a": [1]])
        for text in ["", " ", "1,2", "{}],[{}", "{", String(repeating: "[", count: 70)] {
            #expect(throws: SocketIOError.self) { try JSONText.read(ByteBuffer(string: text)) }
        }
    }
}
