#include "bench_wire.h"

#include <string.h>

size_t bench_read_frame(uint8_t *bytes, size_t count, BenchFrame *frame) {
    if (count < 2) return 0;
    size_t header = 2;
    uint64_t length = bytes[1] & 0x7f;
    if (length >= 126) {
        size_t digits = length == 126 ? 2 : 8;
        if (count < header + digits) return 0;
        length = 0;
        for (size_t i = 0; i < digits; i++) length = length << 8 | bytes[header + i];
        header += digits;
    }
    frame->opcode = bytes[0] & 0xf;
    frame->is_masked = bytes[1] & 0x80;
    if (frame->is_masked) {
        if (count < header + 4) return 0;
        memcpy(frame->key, bytes + header, 4);
        header += 4;
    }
    if (length > count - header) return 0;
    frame->payload = bytes + header;
    frame->length = (size_t)length;
    return header + (size_t)length;
}

size_t bench_write_header(uint8_t *out, uint8_t opcode, size_t length, const uint8_t key[4]) {
    size_t header = 2;
    out[0] = 0x80 | opcode;
    if (length < 126) {
        out[1] = (uint8_t)length;
    } else {
        size_t digits = length <= 0xffff ? 2 : 8;
        out[1] = digits == 2 ? 126 : 127;
        for (size_t i = 0; i < digits; i++) out[2 + i] = (uint8_t)((uint64_t)length >> 8 * (digits - 1 - i));
        header += digits;
    }
    if (key != NULL) {
        out[1] |= 0x80;
        memcpy(out + header, key, 4);
        header += 4;
    }
    return header;
}

void bench_mask(uint8_t *bytes, size_t count, const uint8_t key[4]) {
    uint64_t wide;
    memcpy(&wide, key, 4);
    memcpy((uint8_t *)&wide + 4, key, 4);
    size_t at = 0;
    for (; at + 8 <= count; at += 8) {
        uint64_t word;
        memcpy(&word, bytes + at, 8);
        word ^= wide;
        memcpy(bytes + at, &word, 8);
    }
    for (; at < count; at++) bytes[at] ^= key[at & 3];
}
