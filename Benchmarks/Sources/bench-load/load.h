#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

typedef enum { MODE_ECHO, MODE_ACK, MODE_BROADCAST, MODE_CONNECT } Mode;
typedef enum { TRANSPORT_WEBSOCKET, TRANSPORT_POLLING, TRANSPORT_UPGRADED } Transport;

typedef struct {
    Mode mode;
    Transport transport;
    int port;
    int clients;
    /// Messages that a client may have under way.
    int pipeline;
    /// Bytes of a text or attachment.
    int size;
    bool is_binary;
    int rooms;
    /// Broadcasts that may be under way, in all rooms together.
    int window;
    /// Rooms that each connection joins before memory is read again, and whether they are the same for all.
    int joins;
    bool shares_rooms;
    double warm_up, duration, hold;
    /// Messages a second, of all clients together, whether or not the replies to earlier ones have come; 0 waits for those.
    int rate;
    /// The process of the server.
    pid_t server;
} Options;

extern Options options;

typedef struct {
    /// The socket that traffic goes over.
    int fd;
    /// The connection that an upgraded session has begun on, else -1.
    int first_fd;
    /// The session's id, with polling.
    char sid[64];
    /// What a read has left: the beginning of a frame or response.
    uint8_t *rest;
    size_t rest_count;
    size_t rest_capacity;
    /// The numbers of the message that is sent next and of the one whose reply is due.
    uint32_t next, due;
    /// Of a binary echo: its text has come and its attachment is due.
    bool awaits_attachment;
    /// With polling: whether the response that is due answers a GET; whether a ping is to be answered.
    bool is_getting, owes_pong;
    int room;
    /// Which one it is, from 0.
    int index;
} Connection;

// report.c
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
double now_seconds(void);

// latency.c
void latency_prepare(size_t most);
void latency_record(double seconds);
void latency_forget(void);
/// In microseconds, of what was recorded.
double latency_percentile(double percent);

// process.c: what the server has used so far.
typedef struct {
    double cpu_seconds, wait_seconds;
    long wake_ups;
    /// Calls of write and writev; those of send are not counted by the system.
    long writes;
    /// Of the two threads that have used most since `usage_mark`.
    double busiest, second;
} Usage;
void usage_mark(void);
Usage usage_since_mark(void);
size_t resident_bytes(void);
double own_cpu_seconds(void);

// opening.c: blocking, one connection after the other.
void open_connection(Connection *connection);
/// The second half of an upgrade, once all clients have done the first.
void upgrade_connection(Connection *connection);
void send_all(int fd, const void *bytes, size_t count);
void send_text(int fd, const char *text, size_t count);
/// Reads frames until a text that begins with `prefix` comes. `text` has room for 512 bytes.
void await_text(int fd, const char *prefix, char *text);

// polling.c
/// Finds the response that begins at `bytes`. Returns its size, or 0 when not all of it is there.
size_t read_response(uint8_t *bytes, size_t count, uint8_t **body, size_t *length);
void send_get(const Connection *connection);
void send_post(const Connection *connection, const char *text, size_t count);

// messages.c
void prepare_messages(void);
/// Sends the client's next message.
void send_next(Connection *connection);
/// Checks what a client has received; returns true when a reply is complete.
bool check_reply(Connection *connection, uint8_t opcode, const uint8_t *payload, size_t length);
void send_broadcast(Connection *sender, uint32_t number);
/// The number of the broadcast that a member has received.
uint32_t check_broadcast(const uint8_t *payload, size_t length);

// traffic.c
void run_traffic(void);
// connect.c
void run_connect(void);

#endif
