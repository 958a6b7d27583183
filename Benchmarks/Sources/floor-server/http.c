#include "floor.h"

#include "bench_wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// What waits for the GET of each polling session.
static Bytes *waiting;
static size_t session_count, session_capacity;

static const char handshake[] =
    "0{\"sid\":\"%zu\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000,\"maxPayload\":1000000}";

static void respond(Bytes *out, const void *body, size_t length) {
    char head[160];
    int count = snprintf(
        head, sizeof head,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Length: %zu\r\n\r\n", length);
    append(out, head, (size_t)count);
    append(out, body, length);
}

static void open_session(Bytes *out) {
    if (session_count == session_capacity) {
        session_capacity = session_capacity * 2 + 64;
        waiting = realloc(waiting, session_capacity * sizeof *waiting);
    }
    waiting[session_count] = (Bytes){0};
    char text[160];
    int count = snprintf(text, sizeof text, handshake, session_count++);
    respond(out, text, (size_t)count);
}

static void open_web_socket(Connection *connection, Bytes *out) {
    static const char head[] =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: " BENCH_ACCEPT "\r\n\r\n";
    char text[160];
    int count = snprintf(text, sizeof text, handshake, (size_t)0);
    uint8_t frame[BENCH_MAX_HEADER];
    append(out, head, sizeof head - 1);
    append(out, frame, bench_write_header(frame, 1, (size_t)count, NULL));
    append(out, text, (size_t)count);
    connection->is_web_socket = true;
}

size_t handle_request(Connection *connection, const uint8_t *bytes, size_t count, Bytes *out) {
    const uint8_t *end = memmem(bytes, count, "\r\n\r\n", 4);
    if (end == NULL) return 0;
    size_t head = (size_t)(end - bytes) + 4;
    const char *sid = memmem(bytes, head, "&sid=", 5), *stated = memmem(bytes, head, "Content-Length: ", 16);
    size_t length = stated != NULL ? strtoul(stated + 16, NULL, 10) : 0;
    if (count - head < length) return 0;
    if (memmem(bytes, head, "transport=websocket", 19) != NULL) {
        open_web_socket(connection, out);
        return head;
    }
    size_t number = sid != NULL ? strtoul(sid + 5, NULL, 10) : session_count;
    if (number >= session_count) {
        open_session(out);
    } else if (bytes[0] == 'G') {
        respond(out, waiting[number].bytes, waiting[number].count);
        waiting[number].count = 0;
    } else {
        if (waiting[number].count > 0) append(&waiting[number], "\x1e", 1);
        answer((uint8_t *)bytes + head, length, &waiting[number]);
        respond(out, "ok", 2);
    }
    return head + length;
}
