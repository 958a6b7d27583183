#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// A WebSocket frame in a buffer.
typedef struct {
    uint8_t opcode;
    bool is_masked;
    uint8_t key[4];
    uint8_t *payload;
    size_t length;
} BenchFrame;

/// The most bytes in front of a payload.
#define BENCH_MAX_HEADER 14

/// Reads the frame that begins at `bytes`. Returns its size, or 0 when not all of it is there.
size_t bench_read_frame(uint8_t *bytes, size_t count, BenchFrame *frame);

/// Writes the header of a final frame, masked with `key` unless that is NULL. Returns its size.
size_t bench_write_header(uint8_t *out, uint8_t opcode, size_t length, const uint8_t key[4]);

/// Masks or unmasks in place.
void bench_mask(uint8_t *bytes, size_t count, const uint8_t key[4]);

/// The key that bench-load puts into every handshake, and the answer that RFC 6455 gives for it.
#define BENCH_KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define BENCH_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

#endif
