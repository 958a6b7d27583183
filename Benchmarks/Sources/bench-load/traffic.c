// Closed loops over many connections, or messages at a given rate, by one thread.
#include "load.h"

#include "bench_wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <strings.h>
#include <sys/socket.h>

#define RING 65536
static uint8_t buffer[1 << 20];
static Connection *connections, *sender;
static uint64_t units;
static bool is_stopping;

/// With a rate: when the first message was due, and how many have been sent. Client `i` sends every message whose number is `i`
/// more than a multiple of their count.
static double first_due;
static uint64_t paced;
/// A client that has so many replies to come is on a server that can't keep up.
#define MOST_UNDER_WAY 10000

static double due_at(uint64_t number) { return first_due + (double)number / options.rate; }

static void send_what_is_due(double now) {
    while (!is_stopping && due_at(paced) <= now) {
        Connection *connection = &connections[paced % (uint64_t)options.clients];
        if (connection->next - connection->due >= MOST_UNDER_WAY) fail("the server does not keep up with %d a second", options.rate);
        send_next(connection);
        paced++;
    }
}

/// Of each broadcast under way: who has not had it yet.
static uint32_t missing[RING];
static uint32_t broadcasts_sent, broadcasts_done;
static int *members;

static void keep_broadcasting(void) {
    while (!is_stopping && broadcasts_sent - broadcasts_done < (uint32_t)options.window) {
        uint32_t number = broadcasts_sent++;
        missing[number % RING] = (uint32_t)members[number % (uint32_t)options.rooms];
        send_broadcast(sender, number);
    }
}

static void receive_text(Connection *connection, uint8_t opcode, const uint8_t *payload, size_t length) {
    if (opcode == 1 && length == 1 && payload[0] == '2') {
        if (options.transport == TRANSPORT_POLLING) {
            connection->owes_pong = true;
        } else {
            send_text(connection->fd, "3", 1);
        }
    } else if (opcode == 1 && length == 1 && payload[0] == '6') {
        return;
    } else if (options.mode == MODE_BROADCAST) {
        // Each member gets the broadcasts of its room in order, none twice.
        uint32_t number = check_broadcast(payload, length);
        if (number != connection->due) fail("expected broadcast %u, received %u", connection->due, number);
        connection->due += (uint32_t)options.rooms;
        units++;
        if (--missing[number % RING] == 0) {
            broadcasts_done++;
            keep_broadcasting();
        }
    } else if (check_reply(connection, opcode, payload, length)) {
        units++;
        if (options.rate > 0) {
            uint64_t number = (uint64_t)(connection->due - 1) * (uint64_t)options.clients + (uint64_t)connection->index;
            latency_record(now_seconds() - due_at(number));
            return;
        }
        if (!is_stopping && options.transport != TRANSPORT_POLLING) send_next(connection);
    }
}

static void receive_payload(Connection *connection, const uint8_t *body, size_t length) {
    if (!connection->is_getting) {
        if (length != 2 || strncasecmp((const char *)body, "ok", 2) != 0) fail("a POST was answered by %.*s", (int)length, (const char *)body);
    } else {
        for (size_t start = 0, end; start < length; start = end + 1) {
            const uint8_t *separator = memchr(body + start, 0x1e, length - start);
            end = separator != NULL ? (size_t)(separator - body) : length;
            receive_text(connection, 1, body + start, end - start);
        }
    }
    // Post, fetch the answer, and so on; fetch again when only a ping has come.
    bool is_due = connection->next != connection->due;
    if (is_due) {
        connection->is_getting = true;
        send_get(connection);
    } else if (!is_stopping) {
        connection->is_getting = false;
        send_next(connection);
    }
}

static void keep_rest(Connection *connection, const uint8_t *bytes, size_t count) {
    if (count > connection->rest_capacity) {
        connection->rest_capacity = count * 2;
        connection->rest = realloc(connection->rest, connection->rest_capacity);
    }
    if (count > 0) memcpy(connection->rest, bytes, count);
    connection->rest_count = count;
}

static void read_connection(Connection *connection) {
    size_t kept = connection->rest_count;
    if (kept > 0) memcpy(buffer, connection->rest, kept);
    ssize_t got = recv(connection->fd, buffer + kept, sizeof buffer - kept, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) fail("the server has closed a connection");
    size_t count = kept + (size_t)got, at = 0;
    while (at < count) {
        size_t taken;
        if (options.transport == TRANSPORT_POLLING) {
            uint8_t *body;
            size_t length;
            taken = read_response(buffer + at, count - at, &body, &length);
            if (taken > 0) receive_payload(connection, body, length);
        } else {
            BenchFrame frame;
            taken = bench_read_frame(buffer + at, count - at, &frame);
            if (taken > 0) receive_text(connection, frame.opcode, frame.payload, frame.length);
        }
        if (taken == 0) break;
        at += taken;
    }
    keep_rest(connection, buffer + at, count - at);
}

static void join_rooms(void) {
    members = calloc((size_t)options.rooms, sizeof *members);
    for (int i = 0; i < options.clients; i++) {
        Connection *connection = &connections[i];
        char text[512];
        connection->room = i % options.rooms;
        connection->due = (uint32_t)connection->room;
        members[connection->room]++;
        int count = snprintf(text, sizeof text, "42[\"join\",\"room%d\"]", connection->room);
        send_text(connection->fd, text, (size_t)count);
        await_text(connection->fd, "42[\"joined\",", text);
    }
}

static bool is_idle(void) {
    if (options.mode == MODE_BROADCAST) return broadcasts_sent == broadcasts_done;
    for (int i = 0; i < options.clients; i++) {
        if (connections[i].next != connections[i].due) return false;
    }
    return true;
}

/// Handles what comes until `end`, or until nothing is due any more.
static void run_until(int poll_fd, double end, bool until_idle) {
    static struct epoll_event events[1024];
    double last = now_seconds();
    uint64_t seen = units;
    while (!(until_idle && is_idle())) {
        double now = now_seconds();
        if (!until_idle && now >= end) return;
        if (units != seen) {
            seen = units;
            last = now;
        }
        if (now - last > 10) fail("nothing has come for 10 seconds");
        if (options.rate > 0) send_what_is_due(now);
        // With a rate it does not sleep: it would wake up late.
        int count = epoll_wait(poll_fd, events, 1024, options.rate > 0 ? 0 : 100);
        for (int i = 0; i < count; i++) read_connection(events[i].data.ptr);
    }
}

void run_traffic(void) {
    int total = options.clients + (options.mode == MODE_BROADCAST ? 1 : 0);
    int poll_fd = epoll_create1(0);
    connections = calloc((size_t)total, sizeof *connections);
    prepare_messages();
    for (int i = 0; i < total; i++) {
        open_connection(&connections[i]);
        // Opening begins with a blank one.
        connections[i].index = i;
    }
    if (options.transport == TRANSPORT_UPGRADED) {
        // Servers deal connections out to their threads in turns. The order is shifted by one, so that with two threads every
        // session ends on another than the one it began on.
        for (int i = 1; i <= total; i++) upgrade_connection(&connections[i % total]);
    }
    if (options.mode == MODE_BROADCAST) {
        sender = &connections[options.clients];
        join_rooms();
    }
    for (int i = 0; i < total; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[i]};
        epoll_ctl(poll_fd, EPOLL_CTL_ADD, connections[i].fd, &event);
    }
    if (options.mode == MODE_BROADCAST) {
        keep_broadcasting();
    } else if (options.rate > 0) {
        latency_prepare((size_t)((options.warm_up + options.duration + 1) * options.rate));
        first_due = now_seconds();
    } else {
        for (int i = 0; i < options.clients; i++) {
            for (int j = 0; j < options.pipeline; j++) send_next(&connections[i]);
        }
    }
    run_until(poll_fd, now_seconds() + options.warm_up, false);

    latency_forget();
    usage_mark();
    double start = now_seconds(), own = own_cpu_seconds();
    uint64_t first = units;
    run_until(poll_fd, start + options.duration, false);
    Usage usage = usage_since_mark();
    double seconds = now_seconds() - start;
    own = own_cpu_seconds() - own;
    uint64_t measured = units - first;

    double p50 = latency_percentile(50), p99 = latency_percentile(99);

    is_stopping = true;
    run_until(poll_fd, 0, true);
    if (measured == 0) fail("nothing was exchanged");
    printf(
        "{\"ok\":true,\"units\":%llu,\"seconds\":%.4f,\"per_second\":%.1f,\"cpu_us\":%.4f,\"wake_ups\":%.4f,"
        "\"writes\":%.4f,\"p50_us\":%.1f,\"p99_us\":%.1f,"
        "\"server_busy\":%.3f,\"server_waits\":%.3f,\"busiest_thread\":%.3f,\"second_thread\":%.3f,"
        "\"generator_busy\":%.3f}\n",
        (unsigned long long)measured, seconds, (double)measured / seconds,
        usage.cpu_seconds * 1e6 / (double)measured, (double)usage.wake_ups / (double)measured,
        (double)usage.writes / (double)measured, p50, p99,
        usage.cpu_seconds / seconds, usage.wait_seconds / seconds, usage.busiest / seconds, usage.second / seconds,
        own / seconds);
}
