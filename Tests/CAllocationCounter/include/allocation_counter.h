// Counts the calls of malloc and its like, thread by thread.

#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

/// Whether calls are counted: on Linux with glibc, and not under a sanitizer, which has an allocator of its own.
bool allocation_counter_is_available(void);

/// How often the calling thread has allocated so far; zero where nothing is counted.
uint64_t allocation_counter_value(void);

#endif
