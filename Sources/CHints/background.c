// For syscall().
#define _GNU_SOURCE
#include "background.h"

#ifdef __linux__
#include <linux/ioprio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int martlet_run_in_background(void) {
  // 0 is the calling thread; on Linux each has a nice value of its own.
  int processor = setpriority(PRIO_PROCESS, 0, 10);
  int disk = (int)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
  return processor == 0 && disk == 0;
}
#else
int martlet_run_in_background(void) { return 0; }
#endif
