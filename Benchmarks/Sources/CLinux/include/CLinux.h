// What the load generator needs of Linux and Swift's Glibc module doesn't show.
#ifndef CLINUX_H
#define CLINUX_H

#include <sys/epoll.h>

// Moves the calling thread, and what it starts from now on, to one core: 0, or an errno.
int clinux_pin_to_core(int core);

// Whether the bytes hold the text.
int clinux_contains(const void *bytes, unsigned long count, const void *text, unsigned long length);

#endif
