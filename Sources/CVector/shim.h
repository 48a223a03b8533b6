// What Swift's vectors cannot do: give the equal bytes as a number with one bit for each byte.
#ifndef GENESYS_LOOP_CVECTOR_SHIM_H
#define GENESYS_LOOP_CVECTOR_SHIM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

#define CVECTOR_INLINE static inline __attribute__((always_inline))

// A chunk of a message, and where its strings end.
enum { CVECTOR_BLOCKS = 13, CVECTOR_NO_END = 0xFFFF };
struct cvector_chunk {
    uint64_t quotes[CVECTOR_BLOCKS];        // a bit for each byte of a block of 64
    uint64_t in_string;                     // all ones if the chunk ends inside a string, else 0
    uint64_t start, next;                   // offsets of this chunk and the next, for the caller's walk
    uint64_t escape_end;                    // where the last escape ends
    uint16_t ends[CVECTOR_BLOCKS * 32 + 8]; // of strings, from the start of the chunk; then CVECTOR_NO_END
};

CVECTOR_INLINE uint16_t cvector_end(const struct cvector_chunk *chunk, size_t index) { return chunk->ends[index]; }

// What cvector_find found besides quotes.
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

// The quotes among sixty-four bytes: bit i is set where byte i is one. Adds to `others` whether a control
// character or a backslash is among them.
CVECTOR_INLINE uint64_t cvector_quotes64_portable(const uint8_t *bytes, int *others) {
    for (int i = 0; i < 64; i++) {
        if (bytes[i] < 0x20) *others |= CVECTOR_CONTROL_CHARACTER;
        if (bytes[i] == '\\') *others |= CVECTOR_BACKSLASH;
    }
    return cvector_equal64_portable(bytes, '"');
}

// Sixteen bytes: bit i is set where byte i is not a digit.
CVECTOR_INLINE uint32_t cvector_others16_portable(const uint8_t *bytes) {
    uint32_t mask = 0;
    for (int i = 0; i < 16; i++) mask |= (uint32_t)((uint8_t)(bytes[i] - '0') > 9) << i;
    return mask;
}

CVECTOR_INLINE uint32_t cvector_others16(const uint8_t *bytes) {
#if defined(__SSE2__)
    const __m128i x = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)bytes), _mm_set1_epi8('0'));
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(x, _mm_set1_epi8(10)), x));
#else
    return cvector_others16_portable(bytes);
#endif
}

// The offset where each string ends, from `chunk->quotes`. `chunk->in_string` is first that of the chunk before, then
// its own.
CVECTOR_INLINE void cvector_list_ends(struct cvector_chunk *chunk, size_t count) {
    uint64_t inside = chunk->in_string;
    uint16_t *to = chunk->ends;
    for (size_t i = 0; i < count; i++)
        for (uint64_t quotes = chunk->quotes[i]; quotes != 0; quotes &= quotes - 1, inside = ~inside)
            if (inside) *to++ = (uint16_t)(64 * i + (unsigned)__builtin_ctzll(quotes));
    *to = CVECTOR_NO_END;
    chunk->in_string = inside;
}

// Finds the quotes of `count` blocks of 64 bytes from `bytes` on, the last of them at `last`, of which the first
// `excess` bytes do not count, and lists the ends. Returns what else was found.
CVECTOR_INLINE int cvector_find_plainly(const uint8_t *bytes, size_t count, const uint8_t *last, unsigned excess,
                                        struct cvector_chunk *chunk) {
    int others = 0;
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), last_control = _mm_set1_epi8(0x1F);
    __m128i backslashes = _mm_setzero_si128(), controls = _mm_setzero_si128();
    for (size_t block = 0; block < count; block++) {
        const uint8_t *at = block + 1 < count ? bytes + 64 * block : last;
        uint64_t mask = 0;
        for (int i = 0; i < 4; i++) {
            const __m128i x = _mm_loadu_si128((const __m128i *)at + i);
            mask |= (uint64_t)_mm_movemask_epi8(_mm_cmpeq_epi8(x, quote)) << (16 * i);
            backslashes = _mm_or_si128(backslashes, _mm_cmpeq_epi8(x, backslash));
            controls = _mm_or_si128(controls, _mm_cmpeq_epi8(_mm_min_epu8(x, last_control), x));
        }
        chunk->quotes[block] = mask;
    }
    if (_mm_movemask_epi8(controls)) others |= CVECTOR_CONTROL_CHARACTER;
    if (_mm_movemask_epi8(backslashes)) others |= CVECTOR_BACKSLASH;
#else
    for (size_t block = 0; block < count; block++)
        chunk->quotes[block] = cvector_quotes64_portable(block + 1 < count ? bytes + 64 * block : last, &others);
#endif
    chunk->quotes[count - 1] >>= excess;
    cvector_list_ends(chunk, count);
    return others;
}

#if defined(__x86_64__)
// Whether the next function may be called on this processor.
CVECTOR_INLINE int cvector_has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt") &&
           __builtin_cpu_supports("pclmul");
}

// cvector_find_plainly with AVX2. Ends are written six at a time, and the excess ones mean nothing: how many a block
// has is hard to predict.
static __attribute__((noinline, unused, target("avx2,bmi,popcnt,pclmul"))) int
cvector_find_avx2(const uint8_t *bytes, size_t count, const uint8_t *last, unsigned excess,
                  struct cvector_chunk *chunk) {
    const __m256i quote = _mm256_set1_epi8('"'), backslash = _mm256_set1_epi8('\\');
    const __m256i last_control = _mm256_set1_epi8(0x1F);
    __m256i backslashes = _mm256_setzero_si256(), controls = _mm256_setzero_si256();
    uint64_t inside = chunk->in_string;
    uint16_t *end = chunk->ends;
    for (size_t block = 0; block < count; block++) {
        const int is_last = block + 1 == count;
        const __m256i *at = (const __m256i *)(is_last ? last : bytes + 64 * block);
        const __m256i x = _mm256_loadu_si256(at), y = _mm256_loadu_si256(at + 1);
        uint64_t quotes = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, quote)) |
                          (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(y, quote)) << 32;
        backslashes = _mm256_or_si256(backslashes, _mm256_cmpeq_epi8(x, backslash));
        backslashes = _mm256_or_si256(backslashes, _mm256_cmpeq_epi8(y, backslash));
        // The smaller of two bytes is a control character if either is.
        const __m256i least = _mm256_min_epu8(x, y);
        controls = _mm256_or_si256(controls, _mm256_cmpeq_epi8(_mm256_min_epu8(least, last_control), least));
        quotes >>= is_last ? excess : 0;
        chunk->quotes[block] = quotes;
        // Each bit is the sum of the bits up to it: set from the opening quote of a string up to its closing quote.
        const __m128i sums = _mm_clmulepi64_si128(_mm_set_epi64x(0, (int64_t)quotes), _mm_set1_epi8(-1), 0);
        const uint64_t strings = (uint64_t)_mm_cvtsi128_si64(sums) ^ inside;
        inside = 0 - (strings >> 63);
        uint64_t ends = quotes & ~strings;
        uint16_t *to = end;
        end += __builtin_popcountll(ends);
        do {
#pragma clang loop unroll(full)
            for (int k = 0; k < 6; k++, ends &= ends - 1)
                to[k] = (uint16_t)(64 * block + (ends != 0 ? (unsigned)__builtin_ctzll(ends) : 64));
            to += 6;
        } while (ends != 0);
    }
    *end = CVECTOR_NO_END;
    chunk->in_string = inside;
    return (_mm256_testz_si256(controls, controls) ? 0 : CVECTOR_CONTROL_CHARACTER) |
           (_mm256_testz_si256(backslashes, backslashes) ? 0 : CVECTOR_BACKSLASH);
}
#endif

CVECTOR_INLINE int cvector_find(const uint8_t *bytes, size_t count, const uint8_t *last, unsigned excess,
                                struct cvector_chunk *chunk) {
#if defined(__x86_64__)
    if (cvector_has_avx2()) return cvector_find_avx2(bytes, count, last, excess, chunk);
#endif
    return cvector_find_plainly(bytes, count, last, excess, chunk);
}

#endif
