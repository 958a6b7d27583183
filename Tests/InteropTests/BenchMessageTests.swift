import NIOCore
import SocketIO
import Testing

@testable import socketio

/// What `socketio bench` sends, and how it knows it again.
@Suite struct BenchMessageTests {
    @Test(arguments: [0, 1, 9_999, (1 << 48) - 1])
    func aMarkerIsFoundAgain(number: Int) {
        let marker = BenchMarker(run: 0xA0F1, thread: 255, number: number)
        for length in [BenchMarker.length, 64, 1000] {
            let text = marker.text(length: length)
            #expect(text.utf8.count == length)
            #expect(BenchMarker.find(in: text) == marker)
            #expect(BenchMarker.find(in: "bench-bench-0" + text + "more") == marker)
        }
    }

    @Test(arguments: [
        "", "bench-", "bench-0123456789abcdef012", "bench-0123456789abcdef012g", "BENCH-00000000000000000000",
    ])
    func otherTextsAreNone(text: String) {
        #expect(BenchMarker.find(in: text) == nil)
    }

    @Test func aMarkerIsFoundWhereverItStands() throws {
        let marker = BenchMarker(run: 1, thread: 2, number: 3)
        let value: SocketIOValue = [
            "a": 1, "b": [nil, ["text": .string("> " + marker.text(length: 40)), "c": .binary(ByteBuffer())]],
        ]
        #expect(BenchMarker.find(in: value) == marker)
        let text = #"["room",{"x":["\#(marker.text(length: 30))"]}]"#
        #expect(BenchMarker.find(in: try ArgumentReader(checking: ByteBuffer(string: text))) == marker)
        #expect(BenchMarker.find(in: try ArgumentReader(checking: ByteBuffer(string: "[1,{}]"))) == nil)
    }

    @Test func placeholdersAreFilled() {
        let template = EventTemplate(
            name: "say",
            values: [
                "{{payload}}", "{{client}}", "{{room}}",
                ["text": "[{{payload}}] {{client}}", "{{room}}": [1, "{{x}}"]],
                true, "{{",
            ])
        let values = template.fill(.init(payload: "P", room: "R", client: 7))
        #expect(values == ["P", 7, "R", ["text": "[P] 7", "{{room}}": [1, "{{x}}"]], true, "{{"])
        #expect(template.uses(.payload))
        #expect(!EventTemplate(name: "a", values: [["b": ["c"]]]).uses(.payload))
    }

    // MARK: Options

    private func plan(_ arguments: String...) throws -> BenchPlan {
        try BenchCommand.parse(["http://localhost"] + arguments).plan()
    }

    @Test func aNameAloneGetsTheUsualArguments() throws {
        #expect(try self.plan("--mode", "echo").event?.name == "echo")
        #expect(try self.plan("--mode", "echo").reply == "echo")
        #expect(try self.plan("--mode", "ack").event?.name == "echo-ack")
        #expect(try self.plan("--mode", "ack").reply == nil)
        let filling = ValueTemplate.Filling(payload: "P", room: "R", client: 1)
        func values(_ plan: BenchPlan) -> [SocketIOValue]? { plan.event?.fill(filling) }
        #expect(try values(self.plan("--mode", "echo", "--event", "a")) == ["P"])
        #expect(try values(self.plan("--mode", "echo", "--event", "a", "--payload", "0")) == [])
        #expect(try values(self.plan("--mode", "echo", "--event", "a 1 {}")) == [1, [:]])
        #expect(try values(self.plan("--mode", "broadcast", "--event", "a")) == ["R", "P"])
        #expect(try self.plan("--mode", "broadcast", "--join-event", "in").join?.fill(filling) == ["R"])
        #expect(try self.plan("--mode", "broadcast", "--event", "a", "--reply", "b").reply == "b")
    }

    @Test func transportsSayWhetherThereIsAnUpgrade() throws {
        #expect(try self.plan().upgrades)
        #expect(try !self.plan("--transports", "websocket").upgrades)
        #expect(try !self.plan("--transports", "polling").upgrades)
        #expect(try !self.plan("--transports", "websocket,polling").upgrades)
    }

    @Test func threadsFollowTheLoad() {
        func threads(_ mode: BenchMode, _ clients: Int, _ rooms: Int, _ rate: Double, _ ramp: Double = 100) -> Int {
            BenchPlan.threads(mode: mode, clients: clients, rooms: rooms, rate: rate, ramp: ramp, cores: 8)
        }
        #expect(threads(.echo, 100, 1, 1000) == 1)
        #expect(threads(.echo, 100, 1, 50_000) == 3)
        #expect(threads(.echo, 1, 1, 1_000_000) == 1)
        #expect(threads(.broadcast, 1000, 1, 100) == 3)
        #expect(threads(.broadcast, 1000, 100, 100) == 1)
        #expect(threads(.connect, 10_000, 1, 100) == 6)
        #expect(threads(.echo, 100_000, 1, 1_000_000) == 8)
    }

    @Test(arguments: [
        ("250us", 250_000), ("0", 0), ("1.5s", 1_500_000_000), ("2", 2_000_000_000), ("20ms", 20_000_000),
        ("1m", 60_000_000_000), ("24h", 86_400_000_000_000),
    ])
    func times(text: String, nanoseconds: Int64) {
        #expect(Span(argument: text)?.nanoseconds == nanoseconds)
    }

    @Test(arguments: ["", "s", "ms", "-1s", "1e3s", "1 s", "25h", "1.2.3s", "nan", "inf", "1d", "0x10"])
    func noTimes(text: String) { #expect(Span(argument: text) == nil) }

    @Test func parts() {
        #expect(Part(argument: "1%")?.value == 0.01)
        #expect(Part(argument: "0.5")?.value == 0.5)
        #expect(Part(argument: "0")?.value == 0)
        for text in ["101%", "1.1", "-1%", "%", "x"] { #expect(Part(argument: text) == nil) }
    }
}
