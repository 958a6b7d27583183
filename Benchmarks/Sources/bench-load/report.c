#include "load.h"

#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

void fail(const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *at = text; *at != 0; at++) {
        if (*at == '"' || *at == '\\' || *at < ' ') *at = '\'';
    }
    printf("{\"ok\":false,\"error\":\"%s\"}\n", text);
    exit(1);
}

double now_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
