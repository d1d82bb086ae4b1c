// For syscall().
#define _GNU_SOURCE
#include "time_slice.h"

#ifdef __linux__
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

/// The kernel's `struct sched_attr`, as of its first version. C libraries know it only since glibc 2.41.
struct attributes {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime;
  uint64_t deadline;
  uint64_t period;
};

int martlet_set_time_slice(uint64_t nanoseconds) {
  struct attributes attributes = {.size = sizeof(struct attributes)};
  // Policy and nice value stay what they are.
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof(struct attributes), 0) != 0) return 0;
  // Real-time threads have no slices, and to those with deadlines the same field says something else.
  if (attributes.policy != SCHED_OTHER) return 0;
  attributes.size = sizeof(struct attributes);
  attributes.runtime = nanoseconds;
  return syscall(SYS_sched_setattr, 0, &attributes, 0) == 0;
}
#else
int martlet_set_time_slice(uint64_t nanoseconds) { return 0; }
#endif
