#include "floor.h"

#include "bench_wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ROOMS 65536
static struct {
    Connection **members;
    int count, capacity;
} rooms[MAX_ROOMS];

static bool begins(const uint8_t *payload, size_t length, const char *prefix) {
    size_t count = strlen(prefix);
    return length >= count && memcmp(payload, prefix, count) == 0;
}

static void append_frame(Bytes *out, uint8_t opcode, const void *payload, size_t length) {
    uint8_t header[BENCH_MAX_HEADER];
    append(out, header, bench_write_header(header, opcode, length, NULL));
    append(out, payload, length);
}

bool answer(uint8_t *payload, size_t length, Bytes *out) {
    if (begins(payload, length, "42[\"echo\",") || begins(payload, length, "451-[\"echo\",")) {
        append(out, payload, length);
        return true;
    }
    if (length == 2 && begins(payload, length, "40")) {
        append(out, "40{\"sid\":\"0\"}", 13);
        return true;
    }
    if (!begins(payload, length, "421")) return false;
    // 42<id>["echo-ack",…] to 43<id>[…]
    const uint8_t *bracket = memchr(payload, '[', length);
    size_t skipped = strlen("[\"echo-ack\",");
    append(out, "43", 2);
    append(out, payload + 2, (size_t)(bracket - payload) - 2);
    append(out, "[", 1);
    append(out, bracket + skipped, (size_t)(payload + length - bracket) - skipped);
    return true;
}

static int room_number(const uint8_t *digits, const uint8_t **end) {
    long number = strtol((const char *)digits, (char **)end, 10);
    return number >= 0 && number < MAX_ROOMS ? (int)number : 0;
}

static void join(Connection *connection, int number, Bytes *out) {
    if (rooms[number].count == rooms[number].capacity) {
        rooms[number].capacity = rooms[number].capacity > 0 ? rooms[number].capacity * 2 : 4;
        rooms[number].members =
            realloc(rooms[number].members, (size_t)rooms[number].capacity * sizeof *rooms[number].members);
    }
    connection->room = number;
    connection->place = rooms[number].count;
    rooms[number].members[rooms[number].count++] = connection;
    char text[64];
    int count = snprintf(text, sizeof text, "42[\"joined\",\"room%d\"]", number);
    append_frame(out, 1, text, (size_t)count);
}

void leave_room(Connection *connection) {
    if (connection->room < 0) return;
    Connection *last = rooms[connection->room].members[--rooms[connection->room].count];
    rooms[connection->room].members[connection->place] = last;
    last->place = connection->place;
}

static void broadcast(const uint8_t *arguments, size_t length) {
    static Bytes text, frame;
    const uint8_t *rest;
    int number = room_number(arguments, &rest);
    // Behind the room: ",
    rest += 2;
    text.count = frame.count = 0;
    append(&text, "42[\"msg\",", 9);
    append(&text, rest, (size_t)(arguments + length - rest));
    append_frame(&frame, 1, text.bytes, text.count);
    for (int i = 0; i < rooms[number].count; i++) transmit(rooms[number].members[i], frame.bytes, frame.count);
}

void handle_message(Connection *connection, uint8_t opcode, uint8_t *payload, size_t length, Bytes *out) {
    static const char join_event[] = "42[\"join\",\"room", broadcast_event[] = "42[\"broadcast\",\"room";
    static Bytes text;
    text.count = 0;
    if (opcode == 2) {
        append_frame(out, 2, payload, length);
    } else if (opcode == 1 && answer(payload, length, &text)) {
        append_frame(out, 1, text.bytes, text.count);
    } else if (begins(payload, length, join_event)) {
        const uint8_t *end;
        join(connection, room_number(payload + sizeof join_event - 1, &end), out);
    } else if (begins(payload, length, broadcast_event)) {
        broadcast(payload + sizeof broadcast_event - 1, length - (sizeof broadcast_event - 1));
    }
}
