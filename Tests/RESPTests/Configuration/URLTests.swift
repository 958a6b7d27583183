import Logging
import Testing

@testable import RESP

struct URLTests {
    @Test func forms() throws {
        #expect(try RedisURL("redis://localhost").address == .tcp(host: "localhost", port: 6379))
        let full = try RedisURL("redis://alice:s%3Acret%40@redis.example:7000/12")
        #expect(full.address == .tcp(host: "redis.example", port: 7000))
        #expect(full.username == "alice")
        #expect(full.password == "s:cret@")
        #expect(full.database == 12)
        #expect(!full.isEncrypted)
        let plain = try RedisURL("REDISS://:p@ss@[::1]:1/")
        #expect(plain.address == .tcp(host: "::1", port: 1))
        #expect(plain.isEncrypted)
        #expect(plain.username == nil)
        #expect(plain.password == "p@ss")
        #expect(plain.database == 0)
        #expect(try RedisURL("redis://[fe80::1]").address == .tcp(host: "fe80::1", port: 6379))
        #expect(try RedisURL("redis://host?db=3").database == 3)
        let unix = try RedisURL("unix:///run/my%20redis.sock?db=2")
        #expect(unix.address == .unix(path: "/run/my redis.sock"))
        #expect(unix.database == 2)
        let secret = try RedisURL("redis+unix://:pw@/run/redis.sock")
        #expect(secret.address == .unix(path: "/run/redis.sock"))
        #expect(secret.password == "pw")
    }

    @Test(arguments: [
        "", "localhost", "localhost:6379", "http://localhost", "redis://", "redis://:secret@", "redis:///0",
        "redis://:6379", "redis://host:", "redis://host:0", "redis://host:65536", "redis://host:+1", "redis://host:x",
        "redis://::1", "redis://[::1", "redis://[::1]x", "redis://host/x", "redis://host/1/2", "redis://host/-1",
        "redis://user@host", "redis://host?database=1", "redis://host?db", "redis://host?db=x",
        "redis://:secret%@host", "redis://:secret%4@host", "redis://:secret%zz@host", "redis://:secret%ff@host",
        "unix://", "unix:///", "unix://host/path", "redis://host/99999999999999999999",
    ])
    func invalid(url: String) {
        #expect { try RedisURL(url) } throws: { error in
            guard let error = error as? RedisError else { return false }
            return error.code == .configuration && !error.message.contains("secret")
        }
    }

    @Test func configurationGoesBeforeTheURL() throws {
        var configuration = RESPConfiguration()
        configuration.username = "bob"
        configuration.password = "other"
        configuration.database = 5
        let url = try RedisURL("redis://alice:secret@host/1")
        let options = try ConnectionOptions(url: url, configuration: configuration)
        #expect(options.credentials == .init(username: "bob", password: "other"))
        #expect(options.database == 5)
        let plain = try ConnectionOptions(url: url, configuration: RESPConfiguration())
        #expect(plain.credentials == .init(username: "alice", password: "secret"))
        #expect(plain.database == 1)
        #expect(plain.tls == nil)
        #expect(try ConnectionOptions(url: RedisURL("rediss://host"), configuration: RESPConfiguration()).tls != nil)
    }

    @Test func invalidConfigurations() {
        let changes: [(inout RESPConfiguration) -> Void] = [
            { $0.connectTimeout = .zero }, { $0.commandTimeout = .seconds(-1) }, { $0.probeInterval = .zero },
            { $0.probeTimeout = .zero }, { $0.backoff.minimum = .zero }, { $0.backoff.maximum = .milliseconds(1) },
            { $0.maxBufferedBytes = 0 }, { $0.database = -1 }, { $0.clientName = "a b" }, { $0.username = "x" },
        ]
        for change in changes {
            var configuration = RESPConfiguration()
            change(&configuration)
            #expect {
                try RESPClient(url: "redis://localhost", configuration: configuration, logger: .silent)
            } throws: {
                ($0 as? RedisError)?.code == .configuration
            }
        }
    }
}
