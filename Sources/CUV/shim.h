// What Swift cannot import from uv.h: variadic functions and the struct "inheritance" casts.
#ifndef GENESYS_LOOP_CUV_SHIM_H
#define GENESYS_LOOP_CUV_SHIM_H

#include <uv.h>

#define CUV_INLINE static inline __attribute__((always_inline))

CUV_INLINE uv_stream_t *cuv_tcp_stream(uv_tcp_t *tcp) { return (uv_stream_t *)tcp; }
CUV_INLINE uv_handle_t *cuv_tcp_handle(uv_tcp_t *tcp) { return (uv_handle_t *)tcp; }
CUV_INLINE uv_handle_t *cuv_timer_handle(uv_timer_t *timer) { return (uv_handle_t *)timer; }
CUV_INLINE uv_handle_t *cuv_async_handle(uv_async_t *async) { return (uv_handle_t *)async; }

#endif
