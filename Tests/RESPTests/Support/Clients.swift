import Logging
import NIOCore
import RESP
import TestSupport

/// Runs a body with a client that is shut down afterwards.
func withClient(
    _ url: String, isolation: isolated (any Actor)? = #isolation,
    configure: (inout RESPConfiguration) -> Void = { _ in },
    logger: Logger = .silent, _ body: (RESPClient) async throws -> Void
) async throws {
    var configuration = RESPConfiguration()
    // What shall be noticed by its silence is for the tests to say: a busy machine is silent too.
    configuration.commandTimeout = .seconds(60)
    configuration.probeTimeout = .seconds(60)
    configure(&configuration)
    let client = try RESPClient(url: url, configuration: configuration, logger: logger)
    client.start()
    do {
        try await body(client)
    } catch {
        await client.shutdown()
        throw error
    }
    try await withTimeout(.seconds(60), "the client to shut down") { await client.shutdown() }
}

extension Logger {
    static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

extension RedisCommand {
    static func text(_ words: String...) -> RedisCommand {
        RedisCommand(arguments: words.map { ByteBuffer(string: $0) })
    }
}

extension RedisValue {
    static func text(_ text: String) -> RedisValue { .string(ByteBuffer(string: text)) }
}

/// What a subscription hears.
final class Listener: Sendable {
    struct Heard: Sendable {
        var ready = 0
        var messages: [RedisMessage] = []
        var texts: [String] = []
        /// Looked at for each message, on the loop of the client.
        var found: Set<String> = []
    }

    let heard = Awaited(Heard()) { "\($0.ready) times ready, \($0.texts.suffix(5))" }
    private let subscription: Awaited<(any RedisSubscription)?> = Awaited(nil)

    init(_ client: RESPClient, _ channels: RedisChannel...) {
        let made = client.subscribe(
            to: channels, onReady: { [heard] in heard.update { $0.ready += 1 } },
            onMessage: { [heard] message in
                heard.update { heard in
                    let text = String(buffer: message.payload)
                    heard.messages.append(message)
                    heard.texts.append(text)
                    heard.found.insert(text)
                }
            })
        subscription.update { $0 = made }
    }

    func cancel() { subscription.value?.cancel() }

    func waitUntilReady(_ times: Int = 1) async throws {
        try await heard.wait("\(times) confirmations of all channels") { $0.ready >= times ? () : nil }
    }

    func wait(for text: String) async throws {
        try await heard.wait("the message \(text)") { $0.found.contains(text) ? () : nil }
    }
}

extension RESPClient {
    func waitForState(_ wanted: RedisState...) async throws {
        try await eventually("state \(wanted), is \(state)", timeout: .seconds(60)) { wanted.contains(state) }
    }

    func publish(_ channel: String, _ text: String) throws {
        try send([.text("PUBLISH", channel, text)], completion: nil)
    }
}
