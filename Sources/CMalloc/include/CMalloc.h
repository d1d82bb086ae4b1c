#ifndef MARTLET_MALLOC_H
#define MARTLET_MALLOC_H

#include <stddef.h>

/// The bytes that the program has allocated and not freed, as the allocator counts them: with the rounding of each piece, without what
/// is free between them. Walks through the free pieces, with the allocator locked: 6.5 ms for 500,000 of them.
size_t martlet_heap_in_use(void);

/// Gives pages that hold nothing but free pieces back to the system.
void martlet_heap_trim(void);

/// What the allocator has set apart for a piece that it gave out, with its own note of it.
size_t martlet_heap_size(const void *piece);

#endif
