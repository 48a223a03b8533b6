/* Finds every name in .test (RFC 6761 §6.2) at 127.0.0.1, for programs that are started with LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>

typedef int (*lookup)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static int is_test(const char *name) {
    size_t length = name ? strlen(name) : 0;
    if (length > 0 && name[length - 1] == '.') length--;
    return length >= 5 && strncmp(name + length - 5, ".test", 5) == 0;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
    lookup next = (lookup)dlsym(RTLD_NEXT, "getaddrinfo");
    return next(is_test(name) ? "127.0.0.1" : name, service, hints, result);
}
