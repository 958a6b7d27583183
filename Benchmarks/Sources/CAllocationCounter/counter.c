#include "allocation_counter.h"

// Counts what malloc and its kin are asked for by standing in front of the C library's. Linux with glibc only.
#if defined(__linux__)
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static atomic_ulong count;

static void note(void) { atomic_fetch_add_explicit(&count, 1, memory_order_relaxed); }

void *malloc(size_t size) {
    note();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    note();
    return __libc_calloc(number, size);
}

void *realloc(void *pointer, size_t size) {
    note();
    return __libc_realloc(pointer, size);
}

void *memalign(size_t alignment, size_t size) {
    note();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    note();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
    note();
    *result = __libc_memalign(alignment, size);
    return *result == NULL ? ENOMEM : 0;
}

void free(void *pointer) { __libc_free(pointer); }

unsigned long allocation_count(void) { return atomic_load_explicit(&count, memory_order_relaxed); }

void allocation_self_test(unsigned long size) {
    void *volatile pointer = malloc(size);
    free(pointer);
}
#else
unsigned long allocation_count(void) { return 0; }
void allocation_self_test(unsigned long size) { (void)size; }
#endif
