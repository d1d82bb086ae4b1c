#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

int clinux_pin_to_core(int core) {
  if (core < 0 || core >= CPU_SETSIZE) return EINVAL;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : errno;
}

int clinux_contains(const void *bytes, unsigned long count, const void *text, unsigned long length) {
  return memmem(bytes, count, text, length) != NULL;
}
