// A load generator for Socket.IO servers that answer the events of bench-server; see Benchmarks/README.md. It shares no code
// with any server and checks everything it receives. The last line it prints is a JSON object.
#include "load.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

Options options = {
    .port = 3000, .clients = 100, .pipeline = 1, .size = 32, .rooms = 1, .window = 1,
    .warm_up = 1, .duration = 3, .hold = 1,
};

static const char usage_text[] =
    "usage: bench-load echo|ack|broadcast|connect --server-pid PID [options]\n"
    "  --port N           of the server, on 127.0.0.1 (3000)\n"
    "  --transport T      websocket, polling (echo and ack), or upgraded: polling first, then WebSocket (websocket)\n"
    "  --clients N        connections (100)\n"
    "  --size N           bytes of text or data in a message, 9 to 60000; 400 with polling, 1000 in broadcasts (32)\n"
    "  --pipeline N       echo, ack: messages that a client has under way (1)\n"
    "  --binary           echo: data instead of text\n"
    "  --rate N           echo, ack, not with polling: messages a second, sent when they are due (0: when replies have come)\n"
    "  --rooms N          broadcast: rooms over which clients are spread (1)\n"
    "  --window N         broadcast: broadcasts under way, up to 1000 (1)\n"
    "  --joins N          connect: rooms that each client joins (0)\n"
    "  --shared-rooms     connect: the same rooms for all; else each client has its own\n"
    "  --warm-up S, --duration S, --hold S   seconds before and while it measures; of idleness with connect (1, 3, 1)\n";

static _Noreturn void misuse(void) {
    fputs(usage_text, stderr);
    exit(64);
}

static int number(const char *text, int least, int most) {
    char *end;
    long value = strtol(text, &end, 10);
    if (*text == 0 || *end != 0 || value < least || value > most) misuse();
    return (int)value;
}

static double seconds(const char *text) {
    char *end;
    double value = strtod(text, &end);
    if (*text == 0 || *end != 0 || !(value >= 0 && value <= 3600)) misuse();
    return value;
}

static void read_options(int count, char **arguments) {
    static const struct option list[] = {
        {"port", 1, NULL, 'p'}, {"transport", 1, NULL, 't'}, {"clients", 1, NULL, 'c'}, {"size", 1, NULL, 's'},
        {"pipeline", 1, NULL, 'l'}, {"binary", 0, NULL, 'b'}, {"rooms", 1, NULL, 'r'}, {"window", 1, NULL, 'w'},
        {"joins", 1, NULL, 'j'}, {"rate", 1, NULL, 'r' + 128}, {"shared-rooms", 0, NULL, 'S'}, {"warm-up", 1, NULL, 'u'},
        {"duration", 1, NULL, 'd'}, {"hold", 1, NULL, 'h'}, {"server-pid", 1, NULL, 'P'}, {NULL, 0, NULL, 0},
    };
    static const char *const modes[] = {"echo", "ack", "broadcast", "connect"};
    static const char *const transports[] = {"websocket", "polling", "upgraded"};
    int mode = -1, transport = 0;
    for (int option; (option = getopt_long(count, arguments, "", list, NULL)) != -1;) {
        switch (option) {
        case 'p': options.port = number(optarg, 1, 65535); break;
        case 't':
            for (transport = 0; transport < 3 && strcmp(optarg, transports[transport]) != 0; transport++) continue;
            if (transport == 3) misuse();
            break;
        case 'c': options.clients = number(optarg, 1, 1000000); break;
        case 's': options.size = number(optarg, 9, 60000); break;
        case 'l': options.pipeline = number(optarg, 1, 1000); break;
        case 'b': options.is_binary = true; break;
        case 'r': options.rooms = number(optarg, 1, 1000000); break;
        case 'w': options.window = number(optarg, 1, 1000); break;
        case 'j': options.joins = number(optarg, 0, 10000); break;
        case 'S': options.shares_rooms = true; break;
        case 'r' + 128: options.rate = number(optarg, 0, 1000000); break;
        case 'u': options.warm_up = seconds(optarg); break;
        case 'd': options.duration = seconds(optarg); break;
        case 'h': options.hold = seconds(optarg); break;
        case 'P': options.server = number(optarg, 1, 1 << 30); break;
        default: misuse();
        }
    }
    if (optind != count - 1 || options.server == 0) misuse();
    for (int i = 0; i < 4; i++) {
        if (strcmp(arguments[optind], modes[i]) == 0) mode = i;
    }
    options.mode = (Mode)mode;
    options.transport = (Transport)transport;
    bool is_polling = options.transport == TRANSPORT_POLLING;
    if (mode < 0 || (is_polling && (mode > MODE_ACK || options.is_binary || options.pipeline > 1 || options.size > 400)) ||
        (options.rate > 0 && (is_polling || mode > MODE_ACK || options.pipeline > 1)) ||
        (options.is_binary && mode != MODE_ECHO) || (mode == MODE_BROADCAST && options.size > 1000) ||
        options.rooms > options.clients) {
        misuse();
    }
}

int main(int count, char **arguments) {
    read_options(count, arguments);
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (options.mode == MODE_CONNECT) run_connect();
    else run_traffic();
    return 0;
}
