#ifndef MARTLET_TIME_SLICE_H
#define MARTLET_TIME_SLICE_H

#include <stdint.h>

/// Asks the kernel to run the calling thread in slices of so many nanoseconds (100,000 to 100,000,000), in place of some 3 ms.
///
/// A thread with a shorter slice than the one that runs takes the core as soon as it is woken, as long as it hasn't had more than its share of it:
/// it gets no more time, but sooner. Linux 6.12 and later do so; others, and other systems, go on as before.
/// Returns whether the kernel took it.
int martlet_set_time_slice(uint64_t nanoseconds);

#endif
