import NIOCore
import Testing

@testable import RESP

struct HandshakeTests {
    private func handshake(
        _ url: String = "redis://host", asksForCluster: Bool = false,
        succession: Handshake.Succession? = nil, configure: (inout RESPConfiguration) -> Void = { _ in }
    ) throws -> Handshake {
        var configuration = RESPConfiguration()
        configure(&configuration)
        let options = try ConnectionOptions(url: RedisURL(url), configuration: configuration)
        return Handshake(options, asksForCluster: asksForCluster, succession: succession)
    }

    /// Answers what is asked, and returns what was asked and how it ended.
    private func run(
        _ handshake: Handshake, _ answer: (String) -> RedisValue
    ) -> (asked: [String], end: Handshake.Action) {
        var handshake = handshake
        var asked: [String] = []
        var action = handshake.start()
        while case .send(let command) = action {
            asked.append(command.arguments.map { String(buffer: $0) }.joined(separator: " "))
            action = handshake.receive(answer(asked.last ?? ""))
        }
        return (asked, action)
    }

    private let hello = RedisValue.map([RedisPair(key: .text("mode"), value: .text("standalone"))])

    @Test func version3() throws {
        let (asked, end) = self.run(try self.handshake("redis://u:p@host/2") { $0.clientName = "me" }) {
            $0.hasPrefix("HELLO") ? self.hello : .text("OK")
        }
        #expect(asked == ["HELLO 3 AUTH u p SETNAME me", "SELECT 2", "PING"])
        #expect(end == .done(.init(speaksRESP3: true, isCluster: false)))
    }

    @Test func fallsBackToVersion2() throws {
        let (asked, end) = self.run(
            try self.handshake("redis://:p@host", asksForCluster: true) { $0.clientName = "me" }
        ) {
            switch $0 {
            case "HELLO 3 AUTH default p SETNAME me": .error("ERR unknown command 'HELLO'")
            case "INFO cluster": .text("# Cluster\r\ncluster_enabled:1\r\n")
            default: .text("OK")
            }
        }
        #expect(asked == ["HELLO 3 AUTH default p SETNAME me", "AUTH p", "CLIENT SETNAME me", "INFO cluster", "PING"])
        #expect(end == .done(.init(speaksRESP3: false, isCluster: true)))
    }

    @Test func onlyVersion2() throws {
        let (asked, end) = self.run(try self.handshake("redis://u:p@host") { $0.protocolVersion = .two }) { _ in
            .text("OK")
        }
        #expect(asked == ["AUTH u p", "PING"])
        #expect(end == .done(.init(speaksRESP3: false, isCluster: nil)))
    }

    @Test func onlyVersion3() throws {
        let (_, end) = self.run(try self.handshake { $0.protocolVersion = .three }) { _ in .error("NOPROTO x") }
        #expect(end == .fail(RedisError(.redis, "NOPROTO x")))
    }

    @Test(arguments: ["WRONGPASS x", "NOAUTH x"]) func wrongPassword(message: String) throws {
        let (asked, end) = self.run(try self.handshake("redis://:p@host")) { _ in .error(message) }
        #expect(asked.count == 1)
        #expect(end == .fail(RedisError(.redis, message)))
    }

    @Test func wrongPasswordOfVersion2() throws {
        let (_, end) = self.run(try self.handshake("redis://:p@host") { $0.protocolVersion = .two }) {
            $0.hasPrefix("AUTH") ? .error("ERR invalid password") : .text("OK")
        }
        #expect(end == .fail(RedisError(.redis, "ERR invalid password")))
    }

    @Test(arguments: ["LOADING x", "BUSY x", "MASTERDOWN x"]) func notReady(message: String) throws {
        let (_, end) = self.run(try self.handshake()) { $0 == "PING" ? .error(message) : self.hello }
        #expect(end == .fail(RedisError(.redis, message)))
    }

    @Test func whoMayNotPingIsReady() throws {
        let (_, end) = self.run(try self.handshake()) { $0 == "PING" ? .error("NOPERM x") : self.hello }
        #expect(end == .done(.init(speaksRESP3: true, isCluster: false)))
    }

    @Test func asksWhatItIsCalled() throws {
        let (asked, end) = self.run(try self.handshake(succession: .init())) {
            switch $0 {
            case "CLIENT INFO": .text("id=7 addr=[::1]:5000 laddr=[::1]:6379 fd=8 name= lib-name=\n")
            default: self.hello
            }
        }
        #expect(asked == ["HELLO 3", "CLIENT INFO", "PING"])
        #expect(
            end
                == .done(
                    .init(speaksRESP3: true, isCluster: false, identity: .init(id: "7", address: "[::1]:5000"))))
    }

    /// The one before it is ended, whether Redis still has it or not, and only then is it ready.
    @Test(arguments: [RedisValue.integer(1), .integer(0), .error("NOPERM x")])
    func endsItsPredecessor(answer: RedisValue) throws {
        let predecessor = ConnectionIdentity(id: "7", address: "1.2.3.4:5000")
        let handshake = try self.handshake("redis://:p@host/2", succession: .init(predecessor: predecessor)) {
            $0.protocolVersion = .two
        }
        let (asked, end) = self.run(handshake) {
            switch $0 {
            case "CLIENT KILL ID 7 ADDR 1.2.3.4:5000": answer
            case "CLIENT INFO": .error("ERR unknown subcommand")
            default: .text("OK")
            }
        }
        #expect(asked == ["AUTH p", "CLIENT KILL ID 7 ADDR 1.2.3.4:5000", "CLIENT INFO", "SELECT 2", "PING"])
        #expect(end == .done(.init()))
    }

    @Test(arguments: ["", "id= addr=1:2", "id=3", "addr=1:2", "\u{0} id"]) func strangeIdentity(text: String) {
        #expect(ConnectionIdentity(.text(text)) == nil)
        #expect(ConnectionIdentity(.integer(1)) == nil)
    }

    @Test func noSuchDatabase() throws {
        let (_, end) = self.run(try self.handshake("redis://host/99")) {
            $0.hasPrefix("SELECT") ? .error("ERR DB index is out of range") : self.hello
        }
        #expect(end == .fail(RedisError(.redis, "ERR DB index is out of range")))
    }
}
