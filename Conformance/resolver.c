/* A stand-in for the system's resolver, for programs that are started with LD_PRELOAD.
 *
 * Every name in .test (RFC 6761 section 6.2) is found at 127.0.0.1, and is at no IPv6 address. A look-up of a name in
 * .stuck.test never ends, and one of a name in .slow6.test ends only for IPv4. A name in .dual.test is at 2001:db8::5
 * (RFC 3849), too. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

typedef int (*lookup)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static int is_in(const char *name, const char *domain) {
    size_t length = name ? strlen(name) : 0, tail = strlen(domain);
    if (length > 0 && name[length - 1] == '.') length--;
    return length >= tail && strncmp(name + length - tail, domain, tail) == 0;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
    lookup next = (lookup)dlsym(RTLD_NEXT, "getaddrinfo");
    int is_ipv4 = hints && hints->ai_family == AF_INET;
    while (is_in(name, ".stuck.test") || (is_in(name, ".slow6.test") && !is_ipv4)) pause();
    if (is_in(name, ".dual.test") && hints && hints->ai_family == AF_INET6)
        return next("2001:db8::5", service, hints, result);
    return next(is_in(name, ".test") ? "127.0.0.1" : name, service, hints, result);
}
