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
}
