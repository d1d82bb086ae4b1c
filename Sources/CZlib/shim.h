#ifndef CZLIB_SHIM_H
#define CZLIB_SHIM_H

#include <zlib.h>

// zlib's own initialisers are macros, which Swift doesn't see. A negative window: the bare stream, without a header, as a ZIP file has it.

static inline int czlib_deflate_init(z_streamp stream, int level) {
  return deflateInit2(stream, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
}

static inline int czlib_inflate_init(z_streamp stream) { return inflateInit2(stream, -15); }

#endif
