import EngineIOCore
import NIOCore
import NIOPosix
import Synchronization

/// What the sessions of one event loop share: the list of sessions with something to send, the timing wheel, and the
/// executor on which async handlers start.
///
/// `@unchecked Sendable`: `dirty` has its own lock; every other stored variable is touched on `eventLoop` only, which the
/// methods that do so assert.
public final class LoopContext: @unchecked Sendable {
    package let eventLoop: any EventLoop
    package let executor: LoopTaskExecutor

    private let dirty = Mutex<[EngineIOSession]>([])
    /// The list that is being drained; swapped with `dirty` so that neither gives up its storage.
    private var draining: [EngineIOSession] = []
    /// True from a channel's first `channelRead` to its `channelReadComplete`, which drains: no wake-up is needed then.
    private var isReading = false
    /// Sessions of other loops that a read on this one has given something to send.
    private var notes: [(LoopContext, EngineIOSession)] = []

    private static let currentContext = ThreadSpecificVariable<LoopContext>()

    /// The context of the loop whose thread this is; nil on other threads.
    package static var current: LoopContext? { Self.currentContext.currentValue }

    // Loop-wide scratch space; its users never call out while they hold it. It is used on the loop's thread alone: checking
    // every access at run time would cost as much as the accesses.
    @exclusivity(unchecked) var frames: [ByteBuffer] = []
    @exclusivity(unchecked) var messages: [[WebSocketMessage]] = []
    @exclusivity(unchecked) var coalesced = ByteBuffer()
    @exclusivity(unchecked) var unmasked = ByteBuffer()
    /// Where a packet for one client is encoded, before it is copied into that client's outbox.
    @exclusivity(unchecked) private var scratch = ByteBuffer()
    /// Storage that an outbox may have for its next packets: what was written last.
    @exclusivity(unchecked) private var spare = ByteBuffer()
    /// What connections are read into.
    @exclusivity(unchecked) var readBuffer: ByteBuffer?
    /// What a drain has converted for clients of protocol 3.
    @exclusivity(unchecked) var version3: [WebSocketVersion3.Converted] = []
    /// Storage for answers, and random words.
    @exclusivity(unchecked) var answer = ByteBuffer()
    @exclusivity(unchecked) var randomStock = RandomStock()
    /// What has happened on this loop.
    @exclusivity(unchecked) package var counts = LoopCounts()

    private var wheel: TimingWheel<WheelEntry>
    private var expired: [WheelEntry] = []
    private var wheelIsTurning = false
    /// How many entries there must be for the dead ones among them to be looked for.
    private var wheelSweep = minWheelSweep

    private static let minWheelSweep = 4096

    /// Nanoseconds of `NIODeadline`, at most a tick of the wheel old if ``keepTime()`` was called. On the loop's thread only.
    @exclusivity(unchecked) package private(set) var coarseTime: UInt64
    private var keepsTime = false

    /// The wheel's resolution: heartbeats and deadlines are late by up to this much.
    package static let wheelTick: UInt64 = 25_000_000

    package init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        self.executor = LoopTaskExecutor(eventLoop: eventLoop)
        let now = NIODeadline.now().uptimeNanoseconds
        self.wheel = TimingWheel(tick: Self.wheelTick, slots: 1024, now: now)
        self.coarseTime = now
        eventLoop.execute { Self.currentContext.currentValue = self }
    }

    // MARK: Sending

    /// Notes that `session` has something to send on this loop. Any thread may call it.
    ///
    /// From within a read on another loop the note is kept until that read is over: then a POST is answered before what its
    /// packets have caused reaches any client, and a broadcast wakes another loop once and not for each member.
    func schedule(_ session: EngineIOSession) {
        if self.eventLoop.inEventLoop {
            if self.add(session), !self.isReading { self.eventLoop.execute { self.drain() } }
        } else if let here = Self.current, here.isReading {
            here.notes.append((self, session))
        } else if self.add(session) {
            self.eventLoop.execute { self.drain() }
        }
    }

    /// Puts a session on the list; returns whether it is the first there.
    private func add(_ session: EngineIOSession) -> Bool {
        self.dirty.withLock { list in
            list.append(session)
            return list.count == 1
        }
    }

    /// Puts what this loop's read has left for others on their lists.
    private func passNotes() {
        guard !self.notes.isEmpty else { return }
        var notes: [(LoopContext, EngineIOSession)] = []
        swap(&notes, &self.notes)
        for (loop, session) in notes where loop.add(session) { loop.eventLoop.execute { loop.drain() } }
        notes.removeAll(keepingCapacity: notes.count <= 4096)
        if self.notes.isEmpty { swap(&notes, &self.notes) }
    }

    /// Marks the begin of a read; what is scheduled from now on is sent by ``endRead()`` and wakes nobody.
    func beginRead() {
        self.eventLoop.assertInEventLoop()
        self.isReading = true
    }

    /// Sends what the handlers of this read have left in the outboxes: one flush per connection and read.
    func endRead() {
        self.eventLoop.assertInEventLoop()
        self.isReading = false
        self.drain()
        self.passNotes()
    }

    private func drain() {
        // A drain that is re-entered (NIO calls back from write and flush) leaves the rest to a tick of its own.
        guard self.draining.isEmpty else { return self.eventLoop.execute { self.drain() } }
        self.dirty.withLock { swap(&$0, &self.draining) }
        var index = 0
        while index < self.draining.count {
            self.draining[index].drain(on: self)
            index += 1
        }
        if !self.version3.isEmpty { self.version3 = [] }
        self.draining.removeAll(keepingCapacity: self.draining.count <= 4096)
    }

    // MARK: Storage for packets

    /// What is larger is neither kept nor copied.
    package static let maxCopiedBytes = 4 << 10

    /// Takes the storage in which a packet may be encoded; ``giveBack(scratch:)`` should follow. On this loop's thread only, as
    /// all of these.
    package func takeScratch() -> ByteBuffer {
        var scratch = ByteBuffer()
        swap(&scratch, &self.scratch)
        return scratch
    }

    package func giveBack(scratch: consuming ByteBuffer) {
        if scratch.storageCapacity <= 2 * Self.maxCopiedBytes { self.scratch = scratch }
    }

    func takeSpare() -> ByteBuffer {
        var spare = ByteBuffer()
        swap(&spare, &self.spare)
        return spare
    }

    /// Keeps the storage of what was written. If others refer to it, it is not used again.
    func giveBack(spare: consuming ByteBuffer) {
        if spare.storageCapacity <= Outbox.segmentBytes { self.spare = spare }
    }

    // MARK: Time

    /// Has `client` called when `deadline` (nanoseconds of `NIODeadline`) has passed, if it still exists. Any thread may call it.
    func wake(_ client: any WheelClient, at deadline: UInt64) { self.wake(WheelEntry(weakly: client), deadline) }

    /// Has the client of `ticket` called when `deadline` has passed, unless the ticket is void then. Any thread may call it.
    func wake(_ ticket: WheelTicket, at deadline: UInt64) { self.wake(WheelEntry(ticket: ticket), deadline) }

    private func wake(_ entry: WheelEntry, _ deadline: UInt64) {
        guard self.eventLoop.inEventLoop else { return self.eventLoop.execute { self.insert(entry, deadline) } }
        self.insert(entry, deadline)
    }

    private func insert(_ entry: WheelEntry, _ deadline: UInt64) {
        if self.wheel.isEmpty {
            // An idle wheel stands still: bring it to the present before it counts from there.
            self.wheel.advance(to: NIODeadline.now().uptimeNanoseconds, expired: &self.expired)
        }
        if self.wheel.count >= self.wheelSweep {
            // Those of clients that came and went would stay until their time comes. Each sweep waits for twice as many as
            // the one before has left, so that it costs an entry little.
            self.wheel.removeAll { $0.client == nil }
            self.wheelSweep = max(Self.minWheelSweep, self.wheel.count * 2)
        }
        self.wheel.insert(entry, deadline: deadline)
        self.turn()
    }

    private func turn() {
        guard !self.wheelIsTurning else { return }
        self.wheelIsTurning = true
        _ = self.eventLoop.scheduleTask(in: .nanoseconds(Int64(Self.wheelTick))) { self.tick() }
    }

    private func tick() {
        self.wheelIsTurning = false
        let now = self.readClock()
        self.wheel.advance(to: now, expired: &self.expired)
        var due: [WheelEntry] = []
        swap(&due, &self.expired)
        for entry in due {
            guard let client = entry.client, let next = client.wheelFired(now: now) else { continue }
            self.wheel.insert(entry, deadline: next)
        }
        due.removeAll(keepingCapacity: due.count <= 4096)
        if self.expired.isEmpty { swap(&due, &self.expired) }
        if self.keepsTime || !self.wheel.isEmpty { self.turn() }
    }

    /// Has ``coarseTime`` renewed with each tick from now on, whether anything is in the wheel or not. Any thread may call it.
    func keepTime() {
        self.eventLoop.execute {
            self.keepsTime = true
            self.turn()
        }
    }

    /// Asks for the time, and renews ``coarseTime``.
    package func readClock() -> UInt64 {
        self.eventLoop.assertInEventLoop()
        let now = NIODeadline.now().uptimeNanoseconds
        self.coarseTime = now
        return now
    }

    /// Entries of the wheel, dead ones included, until their time comes (for tests; on the loop only).
    package var wheelCount: Int { self.wheel.count }
}

/// Something with deadlines. It is called on its loop; what it returns is the time of its next call.
protocol WheelClient: AnyObject, Sendable {
    func wheelFired(now: UInt64) -> UInt64?
}

/// Stands for a client in the wheel, and keeps it alive until it is void.
///
/// A weak reference does so too, but then each retain and release of the client takes the runtime's slow path: this is for
/// clients that each message touches.
final class WheelTicket: Sendable {
    private let holder = Mutex<(any WheelClient)?>(nil)

    var client: (any WheelClient)? { self.holder.withLock { $0 } }

    func hold(_ client: any WheelClient) { self.holder.withLock { $0 = client } }

    /// The client has ended and is not called any more.
    func void() {
        // Released outside the lock.
        _ = self.holder.withLock { client in
            defer { client = nil }
            return client
        }
    }
}

struct WheelEntry: Sendable {
    private weak var weakClient: (any WheelClient)?
    private let ticket: WheelTicket?

    init(weakly client: any WheelClient) {
        self.weakClient = client
        self.ticket = nil
    }

    init(ticket: WheelTicket) { self.ticket = ticket }

    var client: (any WheelClient)? {
        if let ticket = self.ticket { return ticket.client }
        return self.weakClient
    }
}
