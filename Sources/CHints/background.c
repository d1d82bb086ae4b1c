// For syscall().
#define _GNU_SOURCE
#include "background.h"

#ifdef __linux__
#include <linux/ioprio.h>
#include <sys/syscall.h>
#include <unistd.h>

int martlet_use_disk_in_background(void) {
  // 0 is the calling thread.
  return syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0)) == 0;
}
#else
int martlet_use_disk_in_background(void) { return 0; }
#endif
