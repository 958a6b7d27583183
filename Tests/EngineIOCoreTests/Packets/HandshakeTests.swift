import NIOCore
import Testing

@testable import EngineIOCore

struct HandshakeTests {
    private static func read(_ json: String) -> Handshake? { Handshake(json: ByteBuffer(string: json)) }

    @Test func ourOwn() {
        let handshake = Handshake(
            sid: "a\"\\\u{1}ü", upgrades: ["websocket", "webtransport"], pingInterval: 1, pingTimeout: 2, maxPayload: 3)
        var json = ByteBuffer()
        handshake.writeJSON(to: &json)
        #expect(Handshake(json: json) == handshake)
    }

    @Test func unknownKeysAreIgnored() {
        let json = """
             {"a":{"sid":["x",{"b":null}],"c":"}"},"d":[1,2],"e":[],"f":["g",1],"h":true,"sid":"s\\u0041\\ud83d\\ude00\\n",
            "upgrades" : [ "websocket" ] , "pingInterval":25e3,"pingTimeout":2.0e4,"maxPayload":1e6 ,"i":-1.5} \n
            """
        let expected = Handshake(
            sid: "sA😀\n", upgrades: ["websocket"], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1_000_000)
        #expect(Self.read(json) == expected)
    }

    @Test func whatOlderServersLeaveOut() {
        let expected = Handshake(
            sid: "s", upgrades: [], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: .max)
        #expect(Self.read("{\"sid\":\"s\"}") == expected)
        #expect(Self.read("{\"sid\":\"s\",\"upgrades\":[1],\"maxPayload\":0}") == expected)
    }

    @Test(arguments: [
        "", "{", "{}", "[]", "\"sid\"", "{\"sid\":\"\"}", "{\"sid\":1}", "{\"sid\":\"s\"", "{\"sid\":\"s\"}x",
        "{\"sid\":\"s\",}", "{\"sid\":\"s\",\"pingInterval\":0}", "{\"sid\":\"s\",\"pingTimeout\":-1}",
        "{\"sid\":\"s\",\"pingTimeout\":\"1\"}", "{\"sid\":\"s\\q\"}", "{\"sid\":\"s\\u12\"}", "{\"sid\":\"a\nb\"}",
        "{\"sid\":\"s\",\"a\":[}", "{\"sid\":\"s\",\"a\":nul}", "{\"sid\" \"s\"}", "{\"sid\":\"s\" \"a\":1}",
        "{\"sid\":\"s\",\"a\":}", "<!DOCTYPE html>",
    ])
    func refused(json: String) {
        #expect(Self.read(json) == nil)
    }

    @Test func bounds() {
        func nested(_ depth: Int) -> String {
            "{\"sid\":\"s\",\"a\":" + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}"
        }
        #expect(Self.read(nested(64)) != nil)
        #expect(Self.read(nested(65)) == nil)
        #expect(Self.read(nested(20_000)) == nil)
        #expect(Self.read("{\"sid\":\"\(String(repeating: "s", count: 1024))\"}") != nil)
        #expect(Self.read("{\"sid\":\"\(String(repeating: "s", count: 1025))\"}") == nil)
        #expect(Self.read("{\"sid\":\"s\",\"a\":\"\(String(repeating: "s", count: 65_536))\"}") == nil)
        #expect(Self.read("{\"sid\":\"s\",\"pingInterval\":9223372036854775807}")?.pingInterval == 86_400_000)
        #expect(Self.read("{\"sid\":\"s\",\"pingInterval\":1e400}") == nil)
    }

    /// Nothing makes it crash.
    @Test func mutations() {
        let valid = Array(
            "{\"sid\":\"s\\u0041\\ud83d\\ude00\",\"upgrades\":[\"websocket\",{\"a\":[1]}],\"pingInterval\":25}".utf8)
        var generator = SeededGenerator(state: 7)
        var read = 0
        for _ in 0..<20_000 {
            var bytes = valid
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: index)
                default: bytes.insert(Array("{}[]\"\\,:u".utf8).randomElement(using: &generator) ?? 0, at: index)
                }
            }
            if Handshake(json: ByteBuffer(bytes: bytes)) != nil { read += 1 }
        }
        #expect(read > 0)
    }
}
