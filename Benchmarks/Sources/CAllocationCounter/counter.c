#include "allocation_counter.h"

// Counts what malloc and its kin are asked for by standing in front of the C library's. Linux with glibc only.
#if defined(__linux__)
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static atomic_ulong count;
static atomic_long live;

static void *note(void *pointer) {
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    if (pointer) atomic_fetch_add_explicit(&live, (long)malloc_usable_size(pointer), memory_order_relaxed);
    return pointer;
}

static long forget(void *pointer) {
    long size = pointer ? (long)malloc_usable_size(pointer) : 0;
    atomic_fetch_sub_explicit(&live, size, memory_order_relaxed);
    return size;
}

void *malloc(size_t size) { return note(__libc_malloc(size)); }

void *calloc(size_t number, size_t size) { return note(__libc_calloc(number, size)); }

void *realloc(void *pointer, size_t size) {
    long before = forget(pointer);
    void *result = note(__libc_realloc(pointer, size));
    // What could not be resized is still there.
    if (!result && size) atomic_fetch_add_explicit(&live, before, memory_order_relaxed);
    return result;
}

void *memalign(size_t alignment, size_t size) { return note(__libc_memalign(alignment, size)); }

void *aligned_alloc(size_t alignment, size_t size) { return note(__libc_memalign(alignment, size)); }

int posix_memalign(void **result, size_t alignment, size_t size) {
    void *pointer = note(__libc_memalign(alignment, size));
    if (!pointer) return ENOMEM;
    *result = pointer;
    return 0;
}

void free(void *pointer) {
    forget(pointer);
    __libc_free(pointer);
}

unsigned long allocation_count(void) { return atomic_load_explicit(&count, memory_order_relaxed); }

long allocation_live_bytes(void) { return atomic_load_explicit(&live, memory_order_relaxed); }

void allocation_self_test(unsigned long size) {
    void *volatile pointer = malloc(size);
    free(pointer);
}
#else
unsigned long allocation_count(void) { return 0; }
long allocation_live_bytes(void) { return 0; }
void allocation_self_test(unsigned long size) { (void)size; }
#endif
