// What Swift's vectors cannot do: tell as a number, one bit for each byte, which bytes are equal to another.
#ifndef GENESYS_LOOP_CVECTOR_SHIM_H
#define GENESYS_LOOP_CVECTOR_SHIM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define CVECTOR_INLINE static inline __attribute__((always_inline))

// What cvector_quotes found besides quotes.
enum { CVECTOR_CONTROL_CHARACTER = 1, CVECTOR_BACKSLASH = 2 };

// Eight bytes, without vectors: bit i is set where byte i is `value`. Exact: no borrow crosses a byte.
CVECTOR_INLINE uint64_t cvector_equal8(const uint8_t *bytes, uint8_t value) {
    const uint64_t low = 0x7F7F7F7F7F7F7F7F;
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    word ^= 0x0101010101010101 * value;
    word = ~(((word & low) + low) | word | low);
    return (word >> 7) * 0x0102040810204080 >> 56;
}

// Sixty-four bytes: bit i is set where byte i is `value`.
CVECTOR_INLINE uint64_t cvector_equal64_portable(const uint8_t *bytes, uint8_t value) {
    uint64_t mask = 0;
    for (int i = 0; i < 8; i++) mask |= cvector_equal8(bytes + 8 * i, value) << (8 * i);
    return mask;
}

CVECTOR_INLINE uint64_t cvector_equal64(const uint8_t *bytes, uint8_t value) {
#if defined(__SSE2__)
    const __m128i *at = (const __m128i *)bytes, wanted = _mm_set1_epi8((char)value);
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++)
        mask |= (uint64_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(at + i), wanted)) << (16 * i);
    return mask;
#else
    return cvector_equal64_portable(bytes, value);
#endif
}

// The same for quotes. Adds to `others` whether a control character or a backslash is among the 64 bytes.
CVECTOR_INLINE uint64_t cvector_quotes64_portable(const uint8_t *bytes, int *others) {
    for (int i = 0; i < 64; i++) {
        if (bytes[i] < 0x20) *others |= CVECTOR_CONTROL_CHARACTER;
        if (bytes[i] == '\\') *others |= CVECTOR_BACKSLASH;
    }
    return cvector_equal64_portable(bytes, '"');
}

// For `count` blocks of 64 bytes, the quotes of each as a mask; returns what else is among them.
CVECTOR_INLINE int cvector_quotes(const uint8_t *bytes, size_t count, uint64_t *masks) {
    int others = 0;
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), last_control = _mm_set1_epi8(0x1F);
    __m128i backslashes = _mm_setzero_si128(), controls = _mm_setzero_si128();
    for (size_t block = 0; block < count; block++) {
        uint64_t mask = 0;
        for (int i = 0; i < 4; i++) {
            const __m128i x = _mm_loadu_si128((const __m128i *)(bytes + 64 * block) + i);
            mask |= (uint64_t)_mm_movemask_epi8(_mm_cmpeq_epi8(x, quote)) << (16 * i);
            backslashes = _mm_or_si128(backslashes, _mm_cmpeq_epi8(x, backslash));
            controls = _mm_or_si128(controls, _mm_cmpeq_epi8(_mm_min_epu8(x, last_control), x));
        }
        masks[block] = mask;
    }
    if (_mm_movemask_epi8(controls)) others |= CVECTOR_CONTROL_CHARACTER;
    if (_mm_movemask_epi8(backslashes)) others |= CVECTOR_BACKSLASH;
#else
    for (size_t block = 0; block < count; block++) masks[block] = cvector_quotes64_portable(bytes + 64 * block, &others);
#endif
    return others;
}

#endif
