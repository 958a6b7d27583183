import EngineIOCore
import NIOCore

// What the connections of a loop take from it, on its thread only.
extension LoopContext {
    /// A fresh session id.
    package func makeID() -> String {
        self.eventLoop.assertInEventLoop()
        return SessionID.random(from: &self.randomStock)
    }

    /// An empty buffer for an answer. It is to be given back as soon as it was written: if it has left by then, the next answer
    /// uses its memory.
    func takeAnswerBuffer(capacity: Int) -> ByteBuffer {
        self.eventLoop.assertInEventLoop()
        var buffer = ByteBuffer()
        swap(&buffer, &self.answer)
        let isFree: Void? = buffer.modifyIfUniquelyOwned { $0.clear(minimumCapacity: capacity) }
        return isFree == nil ? ByteBufferAllocator().buffer(capacity: capacity) : buffer
    }

    func giveBackAnswerBuffer(_ buffer: ByteBuffer) {
        if buffer.storageCapacity <= 64 << 10 { self.answer = buffer }
    }

    /// What a connection is read into; nobody else has it until it is given back.
    func takeReadBuffer(_ allocator: ByteBufferAllocator) -> ByteBuffer {
        guard var buffer = self.readBuffer.take() else { return allocator.buffer(capacity: SharedReadBuffer.capacity) }
        // If somebody still refers to it, that one keeps it and this is a new one.
        buffer.clear()
        return buffer
    }

    /// Any buffer may be given back; those of other origin are left alone.
    func giveBack(readBuffer: ByteBuffer) {
        if readBuffer.storageCapacity == SharedReadBuffer.capacity { self.readBuffer = readBuffer }
    }
}
