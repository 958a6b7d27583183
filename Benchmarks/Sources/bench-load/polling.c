#include "load.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *field(const char *head, const char *name) {
    size_t length = strlen(name);
    for (const char *line = head; line != NULL; line = strstr(line + 2, "\r\n")) {
        const char *start = line == head ? line : line + 2;
        if (strncasecmp(start, name, length) == 0 && start[length] == ':') return start + length + 1;
    }
    return NULL;
}

/// Joins the chunks of a body in front of where they lie. Returns the bytes that they took up, or 0.
static size_t join_chunks(uint8_t *bytes, size_t count, size_t *length) {
    size_t at = 0;
    *length = 0;
    while (true) {
        uint8_t *end = memmem(bytes + at, count - at, "\r\n", 2);
        if (end == NULL) return 0;
        size_t size = strtoul((char *)bytes + at, NULL, 16);
        at = (size_t)(end - bytes) + 2;
        if (size > count || count - at < size + 2) return 0;
        if (size == 0) return at + 2;
        // Nothing is moved before all has come: the caller reads an incomplete response again.
        *length += size;
        at += size + 2;
    }
}

static void move_chunks(uint8_t *bytes) {
    uint8_t *to = bytes;
    while (true) {
        uint8_t *start;
        size_t size = strtoul((char *)bytes, (char **)&start, 16);
        if (size == 0) return;
        start = (uint8_t *)strstr((char *)start, "\r\n") + 2;
        memmove(to, start, size);
        to += size;
        bytes = start + size + 2;
    }
}

size_t read_response(uint8_t *bytes, size_t count, uint8_t **body, size_t *length) {
    uint8_t *end = memmem(bytes, count, "\r\n\r\n", 4);
    if (end == NULL) return 0;
    if (count < 12 || memcmp(bytes, "HTTP/1.1 200", 12) != 0) fail("the server answered: %.60s", (char *)bytes);
    size_t head = (size_t)(end - bytes) + 4;
    // A text for a moment, up to its last line.
    uint8_t kept = end[2];
    end[2] = 0;
    const char *stated = field((char *)bytes, "content-length"), *coding = field((char *)bytes, "transfer-encoding");
    size_t size = stated != NULL ? strtoul(stated, NULL, 10) : 0;
    end[2] = kept;
    *body = bytes + head;
    if (stated != NULL) {
        *length = size;
        return count - head < size ? 0 : head + size;
    }
    if (coding == NULL) fail("the server's response has no length");
    size_t taken = join_chunks(bytes + head, count - head, length);
    if (taken == 0) return 0;
    move_chunks(bytes + head);
    return head + taken;
}

void send_get(const Connection *connection) {
    char text[256];
    int count = snprintf(
        text, sizeof text, "GET /socket.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n",
        connection->sid, options.port);
    send_all(connection->fd, text, (size_t)count);
}

void send_post(const Connection *connection, const char *body, size_t length) {
    char text[1024];
    int count = snprintf(
        text, sizeof text,
        "POST /socket.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
        "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: %zu\r\n\r\n",
        connection->sid, options.port, length);
    if (length > sizeof text - (size_t)count) fail("--size is too large for polling");
    memcpy(text + count, body, length);
    send_all(connection->fd, text, (size_t)count + length);
}
