// Opens connections that do nothing, and reads what they cost.
#include "load.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void run_connect(void) {
    Connection *connections = calloc((size_t)options.clients, sizeof *connections);
    // The first ones have the server set up what it has once.
    Connection warm_up[16];
    for (int i = 0; i < 16; i++) {
        open_connection(&warm_up[i]);
        if (options.transport == TRANSPORT_UPGRADED) upgrade_connection(&warm_up[i]);
    }
    usleep(200000);
    size_t before = resident_bytes();
    usage_mark();
    for (int i = 0; i < options.clients; i++) open_connection(&connections[i]);
    if (options.transport == TRANSPORT_UPGRADED) {
        for (int i = 0; i < options.clients; i++) upgrade_connection(&connections[i]);
    }
    Usage usage = usage_since_mark();
    usleep((useconds_t)(options.hold * 1e6));
    size_t connected = resident_bytes(), joined = connected;
    char text[512];
    for (int i = 0; i < options.clients && options.joins > 0; i++) {
        for (int j = 0; j < options.joins; j++) {
            int count = snprintf(text, sizeof text, "42[\"join\",\"room%d-%d\"]", options.shares_rooms ? 0 : i, j);
            send_text(connections[i].fd, text, (size_t)count);
        }
        for (int j = 0; j < options.joins; j++) await_text(connections[i].fd, "42[\"joined\",", text);
    }
    if (options.joins > 0) {
        usleep(200000);
        joined = resident_bytes();
    }
    double clients = options.clients, joins = options.joins > 0 ? options.joins : 1;
    printf(
        "{\"ok\":true,\"units\":%d,\"cpu_us\":%.4f,\"bytes_per_connection\":%.1f,\"bytes_per_join\":%.1f,"
        "\"resident\":%zu}\n",
        options.clients, usage.cpu_seconds * 1e6 / clients, ((double)connected - (double)before) / clients,
        ((double)joined - (double)connected) / clients / joins, connected);
}
