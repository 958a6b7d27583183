// What is sent, and what must come back. Every message has a number of nine digits, so that a reply that is lost, repeated or
// out of order is noticed.
#include "load.h"

#include "bench_wire.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_NUMBER 100000000u
#define DIGITS 9
static const uint8_t mask_key[4] = {0x9d, 0x04, 0x6b, 0xf1};

/// A text with numbers in it.
typedef struct {
    char *bytes;
    size_t count;
    size_t numbers[2];
    int number_count;
} Template;

static Template request, reply, attachment, broadcast, delivery;
static uint8_t *frame;

static void append(Template *template, const char *text) {
    size_t count = strlen(text);
    template->bytes = realloc(template->bytes, template->count + count + 1);
    memcpy(template->bytes + template->count, text, count + 1);
    template->count += count;
}

static void append_number(Template *template) {
    template->numbers[template->number_count++] = template->count;
    append(template, "000000000");
}

/// A number and letters, `options.size` bytes in all.
static void append_payload(Template *template, bool is_numbered) {
    size_t filler = (size_t)options.size - (is_numbered ? DIGITS : 0);
    char *text = malloc(filler + 1);
    for (size_t i = 0; i < filler; i++) text[i] = (char)('a' + i % 26);
    text[filler] = 0;
    if (is_numbered) append_number(template);
    append(template, text);
    free(text);
}

static void set_number(Template *template, uint32_t number) {
    for (int i = 0; i < template->number_count; i++) {
        uint32_t rest = FIRST_NUMBER + number % (9 * FIRST_NUMBER);
        char *digits = template->bytes + template->numbers[i];
        for (int j = DIGITS - 1; j >= 0; j--, rest /= 10) digits[j] = (char)('0' + rest % 10);
    }
}

void prepare_messages(void) {
    frame = malloc((size_t)options.size + 512);
    if (options.mode == MODE_BROADCAST) {
        append(&delivery, "42[\"msg\",\"");
        append_payload(&delivery, false);
        append(&delivery, "\",");
        return;
    }
    if (options.is_binary) {
        append(&request, "451-[\"echo\",{\"_placeholder\":true,\"num\":0}]");
        append_payload(&attachment, true);
        return;
    }
    bool is_ack = options.mode == MODE_ACK;
    append(&request, "42");
    append(&reply, is_ack ? "43" : "42");
    if (is_ack) {
        append_number(&request);
        append_number(&reply);
    }
    append(&request, is_ack ? "[\"echo-ack\",\"" : "[\"echo\",\"");
    append(&reply, is_ack ? "[\"" : "[\"echo\",\"");
    append_payload(&request, true);
    append_payload(&reply, true);
    append(&request, "\"]");
    append(&reply, "\"]");
}

static size_t put_frame(uint8_t *out, uint8_t opcode, const char *bytes, size_t count) {
    size_t header = bench_write_header(out, opcode, count, mask_key);
    memcpy(out + header, bytes, count);
    bench_mask(out + header, count, mask_key);
    return header + count;
}

void send_next(Connection *connection) {
    uint32_t number = connection->next++;
    set_number(&request, number);
    if (options.transport == TRANSPORT_POLLING) {
        if (!connection->owes_pong) return send_post(connection, request.bytes, request.count);
        char text[1024];
        int count = snprintf(text, sizeof text, "3\x1e%s", request.bytes);
        connection->owes_pong = false;
        return send_post(connection, text, (size_t)count);
    }
    size_t count = put_frame(frame, 1, request.bytes, request.count);
    if (options.is_binary) {
        set_number(&attachment, number);
        count += put_frame(frame + count, 2, attachment.bytes, attachment.count);
    }
    send_all(connection->fd, frame, count);
}

bool check_reply(Connection *connection, uint8_t opcode, const uint8_t *payload, size_t length) {
    if (options.is_binary && !connection->awaits_attachment) {
        // Servers write the members of the placeholder in either order.
        if (opcode != 1 || length != request.count || memcmp(payload, "451-[\"echo\",{", 13) != 0) {
            fail("unexpected text: %.*s", (int)(length < 80 ? length : 80), (const char *)payload);
        }
        connection->awaits_attachment = true;
        return false;
    }
    Template *expected = options.is_binary ? &attachment : &reply;
    set_number(expected, connection->due);
    if (opcode != (options.is_binary ? 2 : 1) || length != expected->count ||
        memcmp(payload, expected->bytes, length) != 0) {
        fail("expected %.60s, received %.*s", expected->bytes, (int)(length < 80 ? length : 80), (const char *)payload);
    }
    connection->awaits_attachment = false;
    connection->due++;
    return true;
}

void send_broadcast(Connection *sender, uint32_t number) {
    if (broadcast.count == 0) {
        append(&broadcast, "\",\"");
        append_payload(&broadcast, false);
        append(&broadcast, "\",");
    }
    char text[2048];
    int count = snprintf(
        text, sizeof text, "42[\"broadcast\",\"room%u%s%u]", number % (uint32_t)options.rooms, broadcast.bytes, number);
    send_all(sender->fd, frame, put_frame(frame, 1, text, (size_t)count));
}

uint32_t check_broadcast(const uint8_t *payload, size_t length) {
    if (length < delivery.count + 2 || length > delivery.count + 11 ||
        memcmp(payload, delivery.bytes, delivery.count) != 0 || payload[length - 1] != ']') {
        fail("unexpected delivery: %.*s", (int)(length < 80 ? length : 80), (const char *)payload);
    }
    uint32_t number = 0;
    for (size_t at = delivery.count; at < length - 1; at++) number = number * 10 + (payload[at] - '0');
    return number;
}
