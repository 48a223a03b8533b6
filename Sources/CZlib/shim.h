// What Swift cannot import from zlib's header: function-like macros.
#ifndef GENESYS_LOOP_CZLIB_SHIM_H
#define GENESYS_LOOP_CZLIB_SHIM_H

#include <zlib.h>

#define CZLIB_INLINE static inline __attribute__((always_inline))

// Raw streams (RFC 1951), without the header and the checksum of RFC 1950: what RFC 7692 §7.2 sends.
CZLIB_INLINE int czlib_inflate_init(z_stream *stream, int window_bits) { return inflateInit2(stream, -window_bits); }
CZLIB_INLINE int czlib_deflate_init(z_stream *stream, int level, int window_bits, int memory_level, int strategy) {
    return deflateInit2(stream, level, Z_DEFLATED, -window_bits, memory_level, strategy);
}

#endif
