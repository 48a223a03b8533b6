// What is used of hiredis: the reader of replies. Its callbacks differ between 0.14 and 1.x; here they all become calls
// of one visitor.
#ifndef GENESYS_LOOP_CHIREDIS_SHIM_H
#define GENESYS_LOOP_CHIREDIS_SHIM_H

#include <hiredis/hiredis.h>
#include <stddef.h>
#include <string.h>

#define CHIREDIS_INLINE static inline __attribute__((always_inline))

// An element of a reply. `kind` is one of REDIS_REPLY_…; `number` is an integer, or the number of an array's elements,
// which follow. 0 refuses the reply.
typedef int (*chiredis_visit)(void *context, int kind, long long number, const char *bytes, size_t count);

typedef struct chiredis_visitor {
    chiredis_visit visit;
    void *context;
} chiredis_visitor;

// An object of the reader that needs no memory.
static inline void *chiredis_element(
    const redisReadTask *task, int kind, long long number, const char *bytes, size_t count) {
    const chiredis_visitor *visitor = (const chiredis_visitor *)task->privdata;
    return visitor->visit(visitor->context, kind, number, bytes, count) != 0 ? (void *)1 : NULL;
}

static inline void *chiredis_string(const redisReadTask *task, char *bytes, size_t count) {
    return chiredis_element(task, task->type, 0, bytes, count);
}
#if HIREDIS_MAJOR >= 1
static inline void *chiredis_array(const redisReadTask *task, size_t count) {
#else
static inline void *chiredis_array(const redisReadTask *task, int count) {
#endif
    return chiredis_element(task, task->type, (long long)count, NULL, 0);
}
static inline void *chiredis_integer(const redisReadTask *task, long long number) {
    return chiredis_element(task, REDIS_REPLY_INTEGER, number, NULL, 0);
}
static inline void *chiredis_nil(const redisReadTask *task) {
    return chiredis_element(task, REDIS_REPLY_NIL, 0, NULL, 0);
}
static inline void chiredis_free(void *object) { (void)object; }

// The visitor must live as long as the reader. NULL without memory.
static inline redisReader *chiredis_reader(chiredis_visitor *visitor) {
    static redisReplyObjectFunctions functions = {
        .createString = chiredis_string,
        .createArray = chiredis_array,
        .createInteger = chiredis_integer,
        .createNil = chiredis_nil,
        .freeObject = chiredis_free,
    };
    redisReader *reader = redisReaderCreateWithFunctions(&functions);
    if (reader != NULL) reader->privdata = visitor;
    return reader;
}

// 1: a whole reply was visited; 0: bytes are missing; -1: the bytes are no reply.
CHIREDIS_INLINE int chiredis_next(redisReader *reader) {
    void *reply = NULL;
    if (redisReaderGetReply(reader, &reply) != REDIS_OK) return -1;
    return reply != NULL;
}

CHIREDIS_INLINE const char *chiredis_error(const redisReader *reader) { return reader->errstr; }

#endif
