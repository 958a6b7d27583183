// What Linux says of the server's process. The times of threads are in nanoseconds, not in ticks of a clock.
#include "load.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MAX_THREADS 256

typedef struct {
    long id;
    double cpu, wait;
    long wake_ups;
} Thread;

static Thread marks[MAX_THREADS];
static int mark_count;
static long marked_writes;

static bool read_file(const char *path, char *text, size_t capacity) {
    FILE *file = fopen(path, "r");
    if (file == NULL) return false;
    size_t count = fread(text, 1, capacity - 1, file);
    text[count] = 0;
    fclose(file);
    return count > 0;
}

static long read_writes(void) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/io", (int)options.server);
    const char *line = read_file(path, text, sizeof text) ? strstr(text, "\nsyscw:") : NULL;
    return line != NULL ? atol(line + strlen("\nsyscw:")) : 0;
}

static int read_threads(Thread *threads) {
    char path[128], text[4096];
    snprintf(path, sizeof path, "/proc/%d/task", (int)options.server);
    DIR *directory = opendir(path);
    if (directory == NULL) fail("no process %d: has the server ended?", (int)options.server);
    int count = 0;
    for (struct dirent *entry; count < MAX_THREADS && (entry = readdir(directory)) != NULL;) {
        long id = atol(entry->d_name);
        unsigned long long cpu, wait;
        snprintf(path, sizeof path, "/proc/%d/task/%ld/schedstat", (int)options.server, id);
        if (id == 0 || !read_file(path, text, sizeof text) || sscanf(text, "%llu %llu", &cpu, &wait) != 2) continue;
        Thread thread = {.id = id, .cpu = (double)cpu / 1e9, .wait = (double)wait / 1e9};
        snprintf(path, sizeof path, "/proc/%d/task/%ld/status", (int)options.server, id);
        const char *line = read_file(path, text, sizeof text) ? strstr(text, "\nvoluntary_ctxt_switches:") : NULL;
        if (line != NULL) thread.wake_ups = atol(line + strlen("\nvoluntary_ctxt_switches:"));
        threads[count++] = thread;
    }
    closedir(directory);
    if (count == 0) fail("this system does not tell the CPU time of threads (/proc/PID/task/TID/schedstat)");
    return count;
}

void usage_mark(void) {
    mark_count = read_threads(marks);
    marked_writes = read_writes();
}

Usage usage_since_mark(void) {
    static Thread threads[MAX_THREADS];
    int count = read_threads(threads);
    Usage usage = {.writes = read_writes() - marked_writes};
    for (int i = 0; i < count; i++) {
        Thread used = threads[i];
        for (int j = 0; j < mark_count; j++) {
            if (marks[j].id != used.id) continue;
            used.cpu -= marks[j].cpu;
            used.wait -= marks[j].wait;
            used.wake_ups -= marks[j].wake_ups;
        }
        usage.cpu_seconds += used.cpu;
        usage.wait_seconds += used.wait;
        usage.wake_ups += used.wake_ups;
        if (used.cpu > usage.busiest) {
            usage.second = usage.busiest;
            usage.busiest = used.cpu;
        } else if (used.cpu > usage.second) {
            usage.second = used.cpu;
        }
    }
    return usage;
}

size_t resident_bytes(void) {
    char path[64], text[256];
    unsigned long size, resident;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)options.server);
    if (!read_file(path, text, sizeof text) || sscanf(text, "%lu %lu", &size, &resident) != 2) {
        fail("no process %d: has the server ended?", (int)options.server);
    }
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

double own_cpu_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
        (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}
