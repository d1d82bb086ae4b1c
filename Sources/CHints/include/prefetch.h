#ifndef MARTLET_PREFETCH_H
#define MARTLET_PREFETCH_H

#include <stddef.h>
#include <stdint.h>

/// Tells the processor that memory will be read soon. Never faults, and changes nothing but how long a later read takes.
static inline void martlet_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }

/// The same for each cache line of a range.
static inline void martlet_prefetch_range(const void *start, size_t count) {
  const char *end = (const char *)start + count;
  for (const char *line = (const char *)((uintptr_t)start & ~(uintptr_t)63); line < end; line += 64) __builtin_prefetch(line, 0, 3);
}

#endif
