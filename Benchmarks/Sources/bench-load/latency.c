// How long replies took. Every one is kept: percentiles are exact.
#include "load.h"

#include <stdlib.h>

static float *samples;
static size_t count, capacity;
static bool is_sorted;

void latency_prepare(size_t most) {
    capacity = most;
    samples = malloc(most * sizeof *samples);
    if (samples == NULL) fail("no memory for %zu latencies", most);
    // Now rather than while it measures.
    for (size_t i = 0; i < most; i++) samples[i] = 0;
}

void latency_record(double seconds) {
    if (count < capacity) samples[count++] = (float)(seconds * 1e6);
    is_sorted = false;
}

void latency_forget(void) { count = 0; }

static int compare(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

double latency_percentile(double percent) {
    if (count == 0) return 0;
    if (!is_sorted) qsort(samples, count, sizeof *samples, compare);
    is_sorted = true;
    size_t rank = (size_t)(percent / 100 * (double)count);
    return samples[rank < count ? rank : count - 1];
}
