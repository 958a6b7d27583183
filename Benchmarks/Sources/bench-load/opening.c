// Opens connections. Everything blocks and reads byte for byte no more than there is to be read, which is slow and simple.
#include "load.h"

#include "bench_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static const uint8_t mask_key[4] = {0x5a, 0x13, 0xc7, 0x2e};

static int dial(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct timeval patience = {.tv_sec = 20};
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)options.port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    if (fd < 0) fail("no more sockets: raise the limit of open files (ulimit -n)");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("can't connect: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

void send_all(int fd, const void *bytes, size_t count) {
    size_t sent = 0;
    while (sent < count) {
        ssize_t now = send(fd, (const char *)bytes + sent, count - sent, MSG_NOSIGNAL);
        if (now < 0 && errno == EAGAIN) {
            struct pollfd wait = {.fd = fd, .events = POLLOUT};
            if (poll(&wait, 1, 10000) != 1) fail("the server does not read");
        } else if (now < 0) {
            fail("can't send: %s", strerror(errno));
        } else {
            sent += (size_t)now;
        }
    }
}

void send_text(int fd, const char *text, size_t count) {
    uint8_t frame[512];
    size_t header = bench_write_header(frame, 1, count, mask_key);
    if (count > sizeof frame - header) fail("text too long");
    memcpy(frame + header, text, count);
    bench_mask(frame + header, count, mask_key);
    send_all(fd, frame, header + count);
}

static void receive(int fd, void *bytes, size_t count) {
    if (count > 0 && recv(fd, bytes, count, MSG_WAITALL) != (ssize_t)count) fail("the server has closed a connection");
}

/// Reads the head of a response and what belongs to it; `text` has room for 4096 bytes.
static void receive_response(int fd, char *text, bool has_body) {
    size_t count = 0;
    while (true) {
        ssize_t seen = recv(fd, text + count, 4095 - count, MSG_PEEK);
        if (seen <= 0) fail("the server has closed a connection during its handshake");
        text[count + (size_t)seen] = 0;
        if (!has_body) {
            const char *end = strstr(text, "\r\n\r\n");
            if (end != NULL) {
                size_t head = (size_t)(end + 4 - text) - count;
                receive(fd, text + count, head);
                text[count + head] = 0;
                return;
            }
        }
        receive(fd, text + count, (size_t)seen);
        count += (size_t)seen;
        uint8_t *body;
        size_t length;
        if (has_body && read_response((uint8_t *)text, count, &body, &length) > 0) {
            memmove(text, body, length);
            text[length] = 0;
            return;
        }
        if (count >= 4095) fail("the server's response is too long");
    }
}

void await_text(int fd, const char *prefix, char *text) {
    while (true) {
        uint8_t header[4];
        receive(fd, header, 2);
        size_t length = header[1] & 0x7f;
        if (length == 126) {
            receive(fd, header + 2, 2);
            length = (size_t)header[2] << 8 | header[3];
        }
        if ((header[0] & 0xf) != 1 || length > 511) fail("unexpected frame during the handshake");
        receive(fd, text, length);
        text[length] = 0;
        if (strncmp(text, prefix, strlen(prefix)) == 0) return;
        if (strcmp(text, "2") == 0) send_text(fd, "3", 1);
        // A server may say other things first, but not for ever: the socket has a timeout.
    }
}

static void open_web_socket(int fd, const char *sid) {
    char text[4096];
    int count = snprintf(
        text, sizeof text,
        "GET /socket.io/?EIO=4&transport=websocket%s%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " BENCH_KEY "\r\n\r\n",
        sid[0] != 0 ? "&sid=" : "", sid, options.port);
    send_all(fd, text, (size_t)count);
    receive_response(fd, text, false);
    if (strncmp(text, "HTTP/1.1 101 ", 13) != 0) fail("the WebSocket was refused: %.60s", text);
}

static void open_polling(Connection *connection) {
    char text[4096];
    int count = snprintf(
        text, sizeof text, "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", options.port);
    send_all(connection->fd, text, (size_t)count);
    receive_response(connection->fd, text, true);
    const char *sid = strstr(text, "\"sid\":\"");
    if (sid == NULL || sscanf(sid + 7, "%63[^\"]", connection->sid) != 1) fail("no session id in: %.80s", text);
    send_post(connection, "40", 2);
    receive_response(connection->fd, text, true);
    send_get(connection);
    receive_response(connection->fd, text, true);
    if (strncmp(text, "40", 2) != 0) fail("CONNECT was answered by: %.80s", text);
}

void open_connection(Connection *connection) {
    *connection = (Connection){.fd = dial(), .first_fd = -1};
    if (options.transport != TRANSPORT_WEBSOCKET) return open_polling(connection);
    char text[512];
    open_web_socket(connection->fd, "");
    await_text(connection->fd, "0", text);
    send_text(connection->fd, "40", 2);
    await_text(connection->fd, "40", text);
}

void upgrade_connection(Connection *connection) {
    char text[512];
    connection->first_fd = connection->fd;
    connection->fd = dial();
    open_web_socket(connection->fd, connection->sid);
    send_text(connection->fd, "2probe", 6);
    await_text(connection->fd, "3probe", text);
    send_text(connection->fd, "5", 1);
}
