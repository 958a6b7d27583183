import Testing

@testable import RESP

struct SubscriptionTableTests {
    private func subscriber(_ channels: RedisChannel...) -> Subscriber { Subscriber(channels, onReady: nil) { _ in } }

    private func channel(_ name: String) -> RedisChannel { RedisChannel(.channel, name) }

    private func texts(_ actions: [SubscriptionTable.Action]) -> [String] {
        actions.map { action in
            let verb = action.request.isSubscribed ? "+" : "-"
            return "\(action.node)\(verb)\(action.request.kind):\(action.request.channels.joined(separator: ","))"
        }
    }

    @Test func oneCommandForEachKindInTheGivenOrder() {
        var table = SubscriptionTable()
        let all = self.subscriber(
            self.channel("b"), RedisChannel(.pattern, "p*"), self.channel("a"), self.channel("b"),
            RedisChannel(.shard, "s"))
        let (actions, isReady) = table.add(all) { _ in 0 }
        #expect(self.texts(actions) == ["0+channel:b,a", "0+pattern:p*", "0+shard:s"])
        #expect(!isReady)
        #expect(self.texts(table.remove(all)) == ["0-channel:b,a", "0-pattern:p*", "0-shard:s"])
        #expect(table.channelCount == 0)
        #expect(!table.hasChannels(at: 0))
    }

    @Test func aChannelOfSeveral() {
        var table = SubscriptionTable()
        let (first, second) = (
            self.subscriber(self.channel("a")), self.subscriber(self.channel("a"), self.channel("b"))
        )
        let request = table.add(first) { _ in 0 }.actions[0].request
        #expect(self.texts(table.add(second) { _ in 0 }.actions) == ["0+channel:b"])
        #expect(table.confirm(request, 0).map { $0 === first } == [true])
        #expect(table.add(self.subscriber(self.channel("a"))) { _ in 0 }.isReady)
        #expect(table.remove(first).isEmpty)
        #expect(self.texts(table.remove(second)) == ["0-channel:b"])
    }

    @Test func confirmationsOfEarlierRequestsDoNotCount() {
        var table = SubscriptionTable()
        let (first, second) = (self.subscriber(self.channel("a")), self.subscriber(self.channel("a")))
        let old = table.add(first) { _ in 0 }.actions[0].request
        _ = table.remove(first)
        let new = table.add(second) { _ in 0 }.actions[0].request
        #expect(table.confirm(old, 0).isEmpty)
        #expect(table.confirm(new, 0).count == 1)
        // Told once only.
        #expect(table.confirm(new, 0).isEmpty)
    }

    @Test func renewal() {
        var table = SubscriptionTable()
        let (first, second) = (self.subscriber(self.channel("b")), self.subscriber(self.channel("a")))
        for subscriber in [first, second] {
            let request = table.add(subscriber) { _ in 0 }.actions[0].request
            #expect(table.confirm(request, 0).count == 1)
        }
        table.lose(0)
        let actions = table.renew(0)
        #expect(self.texts(actions) == ["0+channel:b,a"])
        #expect(actions[0].request.isRenewal)
        #expect(table.confirm(actions[0].request, 0).map { $0 === first } == [true])
        #expect(table.confirm(actions[0].request, 1).map { $0 === second } == [true])
    }

    @Test func manyChannelsAreAskedForInParts() {
        var table = SubscriptionTable()
        let channels = (0..<2500).map { self.channel("\($0)") }
        let actions = table.add(Subscriber(channels, onReady: nil) { _ in }) { _ in 0 }.actions
        #expect(actions.map(\.request.channels.count) == [1000, 1000, 500])
        #expect(actions.flatMap(\.request.channels) == channels.map(\.name))
    }

    @Test func shardsOfACluster() {
        var table = SubscriptionTable()
        table.isCluster = true
        // Slots 12182, 5061 and 12182.
        let all = self.subscriber(
            RedisChannel(.shard, "foo"), RedisChannel(.shard, "bar"), RedisChannel(.shard, "{foo}x"))
        let actions = table.add(all) { SlotHash.slot(of: $0.name) < 10_000 ? 1 : 2 }.actions
        #expect(self.texts(actions) == ["2+shard:foo,{foo}x", "1+shard:bar"])
        for action in actions {
            for index in action.request.channels.indices { _ = table.confirm(action.request, index) }
        }
        #expect(all.missing == 0)
        #expect(table.hasChannels(at: 1, inShards: true) && !table.hasChannels(at: 1, inShards: false))
        #expect(self.texts(table.place { _ in 1 }) == ["1+shard:foo,{foo}x"])
        #expect(all.missing == 2)
        #expect(!table.hasChannels(at: 2))
        #expect(table.place { _ in 1 }.isEmpty)
    }

    @Test func unknownPlaces() {
        var table = SubscriptionTable()
        let subscriber = self.subscriber(self.channel("a"))
        #expect(table.add(subscriber) { _ in nil }.actions.isEmpty)
        #expect(self.texts(table.place { _ in 0 }) == ["0+channel:a"])
        #expect(table.place { _ in nil }.map(\.request.isSubscribed) == [false])
        #expect(table.remove(subscriber).isEmpty)
    }

    @Test func whatIsRefusedOrDroppedIsAskedForAgain() {
        var table = SubscriptionTable()
        let subscriber = self.subscriber(self.channel("a"), self.channel("b"))
        let request = table.add(subscriber) { _ in 0 }.actions[0].request
        _ = table.confirm(request, 0)
        table.refuse(request, from: 1)
        #expect(table.hasRefused)
        let again = table.retry()
        #expect(self.texts(again) == ["0+channel:b"])
        #expect(!table.hasRefused)
        #expect(table.confirm(again[0].request, 0).count == 1)
        #expect(table.drop(self.channel("a"), at: 1) == false)
        #expect(table.drop(self.channel("x"), at: 0) == false)
        #expect(table.drop(self.channel("a"), at: 0) == true)
        #expect(self.texts(table.retry()) == ["0+channel:a"])
        #expect(subscriber.missing == 1)
    }
}
