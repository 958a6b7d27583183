#ifndef FLOOR_H
#define FLOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint8_t *bytes;
    size_t count, capacity;
} Bytes;

typedef struct {
    int fd;
    bool is_web_socket;
    /// Its room and its place there.
    int room, place;
    /// The beginning of a frame or request; what the system has not taken yet.
    Bytes rest, unsent;
} Connection;

void append(Bytes *bytes, const void *more, size_t count);

// main.c
void transmit(Connection *connection, const uint8_t *bytes, size_t count);

// events.c
/// Handles a message. What goes back to the client is appended to `out` as frames.
void handle_message(Connection *connection, uint8_t opcode, uint8_t *payload, size_t length, Bytes *out);
/// Writes what answers an echo or a CONNECT, without a frame; returns false for other messages.
bool answer(uint8_t *payload, size_t length, Bytes *out);
void leave_room(Connection *connection);

// http.c
/// Handles the request that begins at `bytes`. Returns its size, or 0 when not all of it is there.
size_t handle_request(Connection *connection, const uint8_t *bytes, size_t count, Bytes *out);

#endif
