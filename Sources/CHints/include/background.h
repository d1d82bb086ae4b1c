#ifndef MARTLET_BACKGROUND_H
#define MARTLET_BACKGROUND_H

/// Has the calling thread give way to all others: it gets a tenth of a processor that is asked for by more than it can serve, and on disks whose scheduler
/// knows priorities (mq-deadline, bfq) its reads and writes wait for those of others. It stays so. Returns whether the kernel took both.
int martlet_run_in_background(void);

#endif
