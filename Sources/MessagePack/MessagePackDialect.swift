/// Which library's MessagePack is written. All of them are read.
package enum MessagePackDialect: Sendable {
    /// notepack.io 3, of the Redis adapter 8 and its emitter.
    case notepack3
    /// @msgpack/msgpack 2, of the Redis Streams adapter.
    case msgpackJS
}
