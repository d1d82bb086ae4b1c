#ifndef MARTLET_BACKGROUND_H
#define MARTLET_BACKGROUND_H

/// Has what the calling thread reads and writes wait for the reads and writes of others, on disks whose scheduler knows priorities (mq-deadline, bfq). It stays
/// so. Returns whether the kernel took it.
///
/// Its share of the processor stays what it is: a thread that gets little of it keeps others waiting whenever it holds a lock, the allocator's for one.
int martlet_use_disk_in_background(void);

#endif
