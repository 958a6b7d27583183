import NIOCore

/// What the connections of one event loop share. Confined to that loop.
final class LoopState: @unchecked Sendable {
    let index: Int
    let writesDirectly: Bool
    let eventLoop: any EventLoop
    /// The other loops; set before the server listens.
    var peers: [LoopState] = []
    /// The replies to one read. Written while it is filled no more, and filled anew once the system has taken it.
    var output = ByteBuffer()
    let receiveBuffer = ReceiveBuffer()
    private var rooms: [Room] = []
    /// Rooms with frames that their members have not been sent.
    private var pendingRooms: [Int] = []
    /// What waits for the next GET, by number of the session.
    var pollingQueues: [ByteBuffer] = []
    private var lastID: UInt64

    private struct Room {
        var members: [Member] = []
        var frames = ByteBuffer()
    }

    /// Not retained: a connection leaves its room before its pipeline lets go of it and its context.
    private struct Member {
        let connection: Unmanaged<Connection>
        /// Beside the connection, which then need not be looked at: with many members each look is a miss in the cache.
        let context: Unmanaged<ChannelHandlerContext>
    }

    init(index: Int, eventLoop: any EventLoop, writesDirectly: Bool) {
        self.writesDirectly = writesDirectly
        self.index = index
        self.eventLoop = eventLoop
        self.lastID = UInt64(index) << 56
    }

    func configure(_ channel: any Channel) throws {
        if let options = channel.syncOptions {
            try options.setOption(.tcpOption(.tcp_nodelay), value: 1)
            try options.setOption(.recvAllocator, value: SharedReceiveAllocator(shared: self.receiveBuffer))
            try options.setOption(.maxMessagesPerRead, value: 1)
            // The connection asks itself: from its place in the pipeline that is a shorter way than from the pipeline's end.
            try options.setOption(.autoRead, value: false)
        }
        try channel.pipeline.syncOperations.addHandler(Connection(loop: self), name: "floor")
    }

    func makeID() -> UInt64 {
        self.lastID &+= 1
        return self.lastID
    }

    // MARK: Rooms

    static let maxRooms = 1 << 16

    func join(_ connection: Connection, _ context: ChannelHandlerContext, room: Int) {
        while self.rooms.count <= room { self.rooms.append(Room()) }
        self.rooms[room].members.append(
            Member(connection: .passUnretained(connection), context: .passUnretained(context)))
    }

    func leave(_ connection: Connection, room: Int) {
        let leaving = Unmanaged.passUnretained(connection).toOpaque()
        self.rooms[room].members.removeAll { $0.connection.toOpaque() == leaving }
    }

    /// Adds a frame for the members of a room. All that one read brings go out together, with ``sendBroadcasts()``.
    func broadcast(room: Int, event: StaticString, arguments: UnsafeRawBufferPointer) {
        while self.rooms.count <= room { self.rooms.append(Room()) }
        if self.rooms[room].frames.readableBytes == 0 { self.pendingRooms.append(room) }
        let count = event.utf8CodeUnitCount + arguments.count
        self.rooms[room].frames.writeWithUnsafeMutableBytes(minimumWritableBytes: count + Frame.maxHeaderBytes) {
            space in
            guard let base = space.baseAddress else { return 0 }
            var output = Output(base)
            output.putHeader(opcode: Frame.text, count: count)
            output.put(event)
            output.put(arguments)
            return output.count
        }
    }

    func sendBroadcasts() {
        while let room = self.pendingRooms.popLast() {
            var frames = self.rooms[room].frames
            self.rooms[room].frames = ByteBuffer()
            self.deliver(frames, room: room)
            for peer in self.peers {
                peer.eventLoop.execute { [frames] in peer.deliver(frames, room: room) }
            }
            frames.clear()
            self.rooms[room].frames = frames
        }
    }

    private func deliver(_ frames: ByteBuffer, room: Int) {
        guard room < self.rooms.count else { return }
        // Made once for all members.
        let data = NIOAny(frames)
        for member in self.rooms[room].members {
            if self.writesDirectly {
                member.connection._withUnsafeGuaranteedRef { $0.send(frames, data) }
            } else {
                member.context._withUnsafeGuaranteedRef { $0.writeAndFlush(data, promise: nil) }
            }
        }
    }
}
