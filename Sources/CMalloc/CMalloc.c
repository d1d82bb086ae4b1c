#include "CMalloc.h"
#include <malloc.h>
#include <stdlib.h>

size_t martlet_heap_in_use(void) {
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

void martlet_heap_trim(void) { malloc_trim(0); }

size_t martlet_heap_size(const void *piece) { return malloc_usable_size((void *)piece) + sizeof(size_t); }

// glibc gives each thread an arena of its own, and a freed piece goes back to the arena that it came from. Recovery makes the documents on one
// thread, and the engine's replaces them on another: what it frees it could not use again, and a table that is rewritten would come to take
// twice its memory. With one arena freed memory is everybody's. It has to be said before there is a second thread.
__attribute__((constructor)) static void martlet_use_one_arena(void) {
  if (getenv("MALLOC_ARENA_MAX") == NULL) { mallopt(M_ARENA_MAX, 1); }
}
