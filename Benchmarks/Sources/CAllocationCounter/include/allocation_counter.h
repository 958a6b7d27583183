#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

/// The number of times that this process has asked the system for memory so far, on all threads.
unsigned long allocation_count(void);

/// The bytes that this process holds of the memory that it was given, on all threads.
long allocation_live_bytes(void);

/// Keeps the compiler from leaving an allocation out: allocates `size` bytes and frees them.
void allocation_self_test(unsigned long size);

#endif
