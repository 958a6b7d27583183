import SocketIO
import TestSupport
import Testing

extension Event {
    fileprivate static var pair: Event<Int, String> { .init("pair") }
}

@Suite struct EventSequenceTests {
    @Test func endsWithTheSocket() async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            io.main.onConnection { socket in
                Task {
                    for await (number, text) in socket.events(.pair) { recorder.add("\(number) \(text)") }
                    recorder.add("end")
                }
                let untyped = socket.events("pair", as: Int.self, String?.self)
                Task {
                    for await (number, _) in untyped { recorder.add("untyped \(number)") }
                    recorder.add("end")
                }
            }
            let client = try await join(port)
            let socket = try await onlySocket(io.main)
            try await eventually("both listen") { socket.eventNames.contains("pair") }
            try client.emit("pair", "1", "\"a\"")
            #expect(try await client.emitWithAck("pair", "2", "\"b\"").json == "[]")
            try client.disconnect()
            try await eventually("both have ended") { recorder.count("end") == 2 }
            #expect(recorder.all.contains("untyped 2"))
            // One that begins after the end ends at once.
            for await _ in socket.events(.pair) { Issue.record("an event") }
        }
    }

    @Test func atMostSoManyWait() async throws {
        let errors = ErrorRecorder()
        try await withServer {
            $0.onError = errors.hook
        } _: { io, port in
            let client = try await join(port)
            let socket = try await onlySocket(io.main)
            let numbers = socket.events("n", limit: 3, as: Int.self)
            for n in 0..<5 { try client.emit("n", "\(n)") }
            try client.emit("n", "\"x\"")
            try await client.sync()
            #expect(errors.codes == [.limitExceeded, .limitExceeded, .typeMismatch])
            try client.disconnect()
            var seen: [Int] = []
            for await n in numbers { seen.append(n) }
            #expect(seen == [0, 1, 2])
        }
    }

    @Test func stopsListeningWhenNobodyReads() async throws {
        try await withServer { io, port in
            let client = try await join(port)
            let socket = try await onlySocket(io.main)
            let reader = Task {
                for await n in socket.events("n", as: Int.self) where n == 1 { break }
            }
            try await eventually("it listens") { socket.eventNames.contains("n") }
            try client.emit("n", "1")
            await reader.value
            try await eventually("it has stopped") { !socket.eventNames.contains("n") }
        }
    }
}
