// What the load of bench-load costs at least: one thread, one read and one write for each message, no JSON, no sessions, no
// limits, no timers. It understands bench-load and nothing else; what others send it is undefined.
#include "floor.h"

#include "bench_wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static int poll_fd;
static uint8_t input[1 << 20];
static Bytes output;

void append(Bytes *bytes, const void *more, size_t count) {
    if (bytes->count + count > bytes->capacity) {
        bytes->capacity = (bytes->count + count) * 2;
        bytes->bytes = realloc(bytes->bytes, bytes->capacity);
    }
    memcpy(bytes->bytes + bytes->count, more, count);
    bytes->count += count;
}

static void watch(Connection *connection, int operation, bool for_writing) {
    struct epoll_event event = {.events = EPOLLIN | (for_writing ? EPOLLOUT : 0), .data.ptr = connection};
    epoll_ctl(poll_fd, operation, connection->fd, &event);
}

void transmit(Connection *connection, const uint8_t *bytes, size_t count) {
    size_t sent = 0;
    if (connection->unsent.count == 0) {
        ssize_t now = send(connection->fd, bytes, count, MSG_NOSIGNAL);
        if (now > 0) sent = (size_t)now;
        if (sent == count) return;
        watch(connection, EPOLL_CTL_MOD, true);
    }
    append(&connection->unsent, bytes + sent, count - sent);
}

static void transmit_rest(Connection *connection) {
    Bytes *unsent = &connection->unsent;
    ssize_t sent = send(connection->fd, unsent->bytes, unsent->count, MSG_NOSIGNAL);
    if (sent <= 0) return;
    unsent->count -= (size_t)sent;
    memmove(unsent->bytes, unsent->bytes + sent, unsent->count);
    if (unsent->count == 0) watch(connection, EPOLL_CTL_MOD, false);
}

/// Returns false when the connection is over.
static bool read_connection(Connection *connection) {
    size_t kept = connection->rest.count, at = 0;
    if (kept > 0) memcpy(input, connection->rest.bytes, kept);
    connection->rest.count = 0;
    ssize_t got = recv(connection->fd, input + kept, sizeof input - kept, MSG_DONTWAIT);
    if (got <= 0) return false;
    size_t count = kept + (size_t)got;
    output.count = 0;
    while (at < count) {
        size_t taken;
        if (connection->is_web_socket) {
            BenchFrame frame;
            taken = bench_read_frame(input + at, count - at, &frame);
            if (taken > 0) {
                if (frame.is_masked) bench_mask(frame.payload, frame.length, frame.key);
                handle_message(connection, frame.opcode, frame.payload, frame.length, &output);
            }
        } else {
            taken = handle_request(connection, input + at, count - at, &output);
        }
        if (taken == 0) break;
        at += taken;
    }
    if (at < count) append(&connection->rest, input + at, count - at);
    if (output.count > 0) transmit(connection, output.bytes, output.count);
    return true;
}

static void close_connection(Connection *connection) {
    leave_room(connection);
    close(connection->fd);
    free(connection->rest.bytes);
    free(connection->unsent.bytes);
    free(connection);
}

static void accept_all(int listener) {
    for (int fd, on = 1; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        Connection *connection = calloc(1, sizeof *connection);
        connection->fd = fd;
        connection->room = -1;
        watch(connection, EPOLL_CTL_ADD, false);
    }
}

int main(int count, char **arguments) {
    if (count != 2) {
        fputs("usage: floor-server PORT\n", stderr);
        return 64;
    }
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)atoi(arguments[1])),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 4096) != 0) {
        perror("floor-server");
        return 1;
    }
    poll_fd = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &event);
    static struct epoll_event events[1024];
    while (true) {
        int ready = epoll_wait(poll_fd, events, 1024, -1);
        for (int i = 0; i < ready; i++) {
            Connection *connection = events[i].data.ptr;
            if (connection == NULL) {
                accept_all(listener);
                continue;
            }
            if (events[i].events & EPOLLOUT) transmit_rest(connection);
            if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0 && !read_connection(connection)) {
                close_connection(connection);
            }
        }
    }
}
