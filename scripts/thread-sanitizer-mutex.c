// Tells ThreadSanitizer of the slow path of Swift's Mutex on Linux: that lies in a library which is not instrumented, so that whatever a
// contended lock protects looks like a race. Loaded in front of it (LD_PRELOAD) by scripts/full-check.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))

typedef SWIFT void (*lock_function)(uint32_t, SELF void *);
typedef SWIFT void (*unlock_function)(SELF void *);

SWIFT void lock_slow(uint32_t thread, SELF void *mutex) __asm__(LOCK_SLOW);
SWIFT void unlock_slow(SELF void *mutex) __asm__(UNLOCK_SLOW);

static void tell(const char *name, void *mutex) {
    void (*function)(void *) = (void (*)(void *))dlsym(RTLD_DEFAULT, name);
    if (function) function(mutex);
}

SWIFT void lock_slow(uint32_t thread, SELF void *mutex) {
    lock_function next = (lock_function)dlsym(RTLD_NEXT, LOCK_SLOW);
    if (next) next(thread, mutex);
    tell("__tsan_acquire", mutex);
}

SWIFT void unlock_slow(SELF void *mutex) {
    tell("__tsan_release", mutex);
    unlock_function next = (unlock_function)dlsym(RTLD_NEXT, UNLOCK_SLOW);
    if (next) next(mutex);
}
