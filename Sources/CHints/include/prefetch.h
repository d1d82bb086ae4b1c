#ifndef MARTLET_PREFETCH_H
#define MARTLET_PREFETCH_H

/// Tells the processor that memory will be read soon. Never faults, and changes nothing but how long a later read takes.
static inline void martlet_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }

#endif
