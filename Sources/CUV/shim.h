// What Swift cannot import from uv.h (variadic functions, the struct "inheritance" casts), and the few socket calls
// that libuv does not offer or does not make safely. `static inline` only: there is nothing to compile or to link.
#ifndef GENESYS_LOOP_CUV_SHIM_H
#define GENESYS_LOOP_CUV_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

// libuv's code for a value of errno, on Unix.
#define CUV_CODE(error) (-(error))

#define CUV_INLINE static inline __attribute__((always_inline))

CUV_INLINE uv_stream_t *cuv_tcp_stream(uv_tcp_t *tcp) { return (uv_stream_t *)tcp; }
CUV_INLINE uv_handle_t *cuv_tcp_handle(uv_tcp_t *tcp) { return (uv_handle_t *)tcp; }
CUV_INLINE uv_handle_t *cuv_timer_handle(uv_timer_t *timer) { return (uv_handle_t *)timer; }
CUV_INLINE uv_handle_t *cuv_async_handle(uv_async_t *async) { return (uv_handle_t *)async; }

// One heap block for a handle of any kind. Only the close callback uses `group`; `next` and `previous` link the blocks
// of one loop. The handle comes last: a block is allocated only up to the end of its kind, and a timer is much smaller
// than a socket.
typedef struct cuv_block {
    void *group;
    struct cuv_block *next, *previous;
    int is_background; // never keeps a loop running
    union {
        uv_handle_t any;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_timer_t timer;
        uv_idle_t idle;
        uv_check_t check;
        uv_async_t async;
        uv_poll_t poll;
    } handle;
} cuv_block;

CUV_INLINE size_t cuv_block_size(size_t handle_size) { return offsetof(cuv_block, handle) + handle_size; }

CUV_INLINE uv_handle_t *cuv_block_handle(cuv_block *block) { return &block->handle.any; }
CUV_INLINE uv_stream_t *cuv_block_stream(cuv_block *block) { return &block->handle.stream; }
CUV_INLINE uv_tcp_t *cuv_block_tcp(cuv_block *block) { return &block->handle.tcp; }
CUV_INLINE uv_timer_t *cuv_block_timer(cuv_block *block) { return &block->handle.timer; }
CUV_INLINE uv_idle_t *cuv_block_idle(cuv_block *block) { return &block->handle.idle; }
CUV_INLINE uv_check_t *cuv_block_check(cuv_block *block) { return &block->handle.check; }
CUV_INLINE uv_async_t *cuv_block_async(cuv_block *block) { return &block->handle.async; }
CUV_INLINE uv_poll_t *cuv_block_poll(cuv_block *block) { return &block->handle.poll; }
CUV_INLINE cuv_block *cuv_block_of(uv_handle_t *handle) {
    return (cuv_block *)((char *)handle - offsetof(cuv_block, handle));
}

// An Internet address without the padding and the platform differences of struct sockaddr. `words` holds the address
// bytes in network order: 4 of them for IPv4, 16 for IPv6.
typedef struct cuv_address {
    uint64_t words[2];
    uint32_t scope;
    uint16_t port;
    uint8_t is_ipv6;
} cuv_address;

CUV_INLINE int cuv_address_read(cuv_address *out, const struct sockaddr *from) {
    memset(out, 0, sizeof *out);
    if (from->sa_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)from;
        memcpy(out->words, &four->sin_addr, 4);
        out->port = ntohs(four->sin_port);
        return 0;
    }
    if (from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)from;
        memcpy(out->words, &six->sin6_addr, 16);
        out->port = ntohs(six->sin6_port);
        out->scope = six->sin6_scope_id;
        out->is_ipv6 = 1;
        return 0;
    }
    return UV_EAFNOSUPPORT;
}

CUV_INLINE void cuv_address_write(const cuv_address *from, struct sockaddr_storage *out) {
    memset(out, 0, sizeof *out);
    if (from->is_ipv6) {
        struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(from->port);
        six->sin6_scope_id = from->scope;
        memcpy(&six->sin6_addr, from->words, 16);
    } else {
        struct sockaddr_in *four = (struct sockaddr_in *)out;
        four->sin_family = AF_INET;
        four->sin_port = htons(from->port);
        memcpy(&four->sin_addr, from->words, 4);
    }
}

// Numeric forms only; 1 when `text` is an address.
CUV_INLINE int cuv_address_parse(cuv_address *out, const char *text, uint16_t port) {
    memset(out, 0, sizeof *out);
    out->port = port;
    if (uv_inet_pton(AF_INET, text, out->words) == 0) return 1;
    memset(out->words, 0, sizeof out->words);
    out->is_ipv6 = 1;
    return uv_inet_pton(AF_INET6, text, out->words) == 0;
}

// The number of an interface, given by its name or number; 0 when there is none.
CUV_INLINE uint32_t cuv_scope(const char *zone) {
    char name[IF_NAMESIZE], *end;
    unsigned index = strlen(zone) < IF_NAMESIZE ? if_nametoindex(zone) : 0;
    if (index != 0 || *zone < '0' || *zone > '9') return index;
    unsigned long number = strtoul(zone, &end, 10);
    return *end == 0 && number <= INT32_MAX && if_indextoname((unsigned)number, name) != NULL ? (uint32_t)number : 0;
}

CUV_INLINE int cuv_address_text(const cuv_address *from, char *out, size_t capacity) {
    int code = uv_inet_ntop(from->is_ipv6 ? AF_INET6 : AF_INET, from->words, out, capacity);
    if (code != 0 || from->scope == 0) return code;
    char name[IF_NAMESIZE];
    size_t length = strlen(out);
    if (if_indextoname(from->scope, name) == NULL) snprintf(name, sizeof name, "%u", (unsigned)from->scope);
    snprintf(out + length, capacity - length, "%%%s", name);
    return 0;
}

CUV_INLINE int cuv_tcp_connect(uv_connect_t *request, uv_tcp_t *tcp, const cuv_address *to, uv_connect_cb callback) {
    struct sockaddr_storage storage;
    cuv_address_write(to, &storage);
    return uv_tcp_connect(request, tcp, (const struct sockaddr *)&storage, callback);
}

CUV_INLINE int cuv_tcp_bind(uv_tcp_t *tcp, const cuv_address *to) {
    struct sockaddr_storage storage;
    cuv_address_write(to, &storage);
    return uv_tcp_bind(tcp, (const struct sockaddr *)&storage, 0);
}

CUV_INLINE int cuv_tcp_local_address(uv_tcp_t *tcp, cuv_address *out) {
    struct sockaddr_storage storage;
    int length = sizeof storage;
    struct sockaddr *name = (struct sockaddr *)&storage;
    int code = uv_tcp_getsockname(tcp, name, &length);
    return code < 0 ? code : cuv_address_read(out, name);
}

// A socket that is connected to a local one, or a negative code; UV_EAGAIN when its listener has no room. Never waits.
CUV_INLINE int cuv_local_connect(const char *path, size_t count) {
    struct sockaddr_un name;
    memset(&name, 0, sizeof name);
    name.sun_family = AF_UNIX;
    if (count == 0 || count >= sizeof name.sun_path) return UV_ENAMETOOLONG;
    memcpy(name.sun_path, path, count);
    int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
    if (descriptor < 0) return CUV_CODE(errno);
    int flags = fcntl(descriptor, F_GETFL);
    int code = 0;
    if (fcntl(descriptor, F_SETFD, FD_CLOEXEC) < 0 || flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0)
        code = CUV_CODE(errno);
    while (code == 0 && connect(descriptor, (const struct sockaddr *)&name, sizeof name) < 0)
        if (errno != EINTR) code = CUV_CODE(errno);
    if (code == 0) return descriptor;
    close(descriptor);
    return code;
}

// -1 when the handle has no socket yet.
CUV_INLINE int cuv_tcp_descriptor(uv_tcp_t *tcp) {
    uv_os_fd_t descriptor = -1;
    return uv_fileno((const uv_handle_t *)tcp, &descriptor) < 0 ? -1 : descriptor;
}

// libuv writes to sockets with write(2), which raises SIGPIPE on a broken connection; this one never does. The number
// of bytes taken by the kernel, or a negative code; UV_EAGAIN when the socket is full.
CUV_INLINE ssize_t cuv_send(int descriptor, const void *bytes, size_t count) {
#ifdef MSG_NOSIGNAL
    int flags = MSG_NOSIGNAL;
#else
    int flags = 0, on = 1;
    setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
    ssize_t sent;
    do sent = send(descriptor, bytes, count, flags); while (sent < 0 && errno == EINTR);
    if (sent >= 0) return sent;
    return errno == EWOULDBLOCK ? UV_EAGAIN : CUV_CODE(errno);
}

CUV_INLINE void cuv_shutdown_output(int descriptor) { shutdown(descriptor, SHUT_WR); }

// 1 when bytes or the end of the stream wait in the socket.
CUV_INLINE int cuv_has_input(int descriptor) {
    char byte;
    ssize_t count;
    do count = recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT); while (count < 0 && errno == EINTR);
    return count >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

// Makes the coming close(2) send RST instead of FIN.
CUV_INLINE void cuv_reset_on_close(int descriptor) {
    struct linger none = {1, 0};
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

CUV_INLINE int cuv_duplicate(int descriptor) {
    int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    return copy < 0 ? CUV_CODE(errno) : copy;
}

CUV_INLINE int cuv_open_spare(void) {
    int spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return spare < 0 ? CUV_CODE(errno) : spare;
}

CUV_INLINE void cuv_close_descriptor(int descriptor) { close(descriptor); }

// 1 when the process, or the system, has fewer than `count` (at most 3) file descriptors left.
CUV_INLINE int cuv_lacks_descriptors(int count) {
    int opened[3], number = 0, code = 0;
    while (number < count && number < 3) {
        code = cuv_open_spare();
        if (code < 0) break;
        opened[number++] = code;
    }
    while (number > 0) close(opened[--number]);
    return code == UV_EMFILE || code == UV_ENFILE;
}

// 1 when fewer than `count` numbers above that of `descriptor` are allowed: a new one always gets the lowest free one.
CUV_INLINE int cuv_is_near_descriptor_limit(int descriptor, int count) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 0;
    return (rlim_t)descriptor + (rlim_t)count >= limit.rlim_cur;
}

// 1 when an interface has an address that other machines could reach.
CUV_INLINE int cuv_has_outside_address(void) {
    struct ifaddrs *list = NULL;
    int found = 0;
    if (getifaddrs(&list) != 0) return 1;
    for (struct ifaddrs *each = list; each != NULL && !found; each = each->ifa_next) {
        if (each->ifa_addr == NULL || (each->ifa_flags & IFF_LOOPBACK) || !(each->ifa_flags & IFF_UP)) continue;
        found = each->ifa_addr->sa_family == AF_INET || each->ifa_addr->sa_family == AF_INET6;
    }
    freeifaddrs(list);
    return found;
}

// RFC 6761 section 6.3: "localhost" and names that end in ".localhost".
CUV_INLINE int cuv_is_localhost(const char *host) {
    size_t length = strlen(host);
    if (length > 0 && host[length - 1] == '.') length -= 1;
    if (length < 9 || strncasecmp(host + length - 9, "localhost", 9) != 0) return 0;
    return length == 9 || host[length - 10] == '.';
}

CUV_INLINE int cuv_is_no_such_name(int code) {
#ifdef EAI_NODATA
    if (code == EAI_NODATA) return 1;
#endif
#ifdef EAI_ADDRFAMILY
    if (code == EAI_ADDRFAMILY) return 1;
#endif
    return code == EAI_NONAME;
}

// Stream addresses of one family in the order of getaddrinfo; 0 or an EAI_ code (EAI_SYSTEM: errno in *system). Blocks.
//
// With AI_ADDRCONFIG, so that a host without an address of a family is not offered addresses of that family. But
// getaddrinfo does not count loopback: on a host with loopback only, it would then find no name at all. IPv6 addresses
// of a name of this machine are requested together with the others: where /etc/hosts has only those, the DNS must not
// be asked.
CUV_INLINE int cuv_resolve(
    const char *host, uint16_t port, int ipv6, cuv_address *out, int capacity, int *count, int *system) {
    struct addrinfo hints, *list = NULL;
    char service[8];
    int family = ipv6 ? AF_INET6 : AF_INET, is_local = cuv_is_localhost(host);
    memset(&hints, 0, sizeof hints);
    hints.ai_family = is_local && ipv6 ? AF_UNSPEC : family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_protocol = IPPROTO_TCP;
    hints.ai_flags = AI_NUMERICSERV;
    if (!is_local && cuv_has_outside_address()) hints.ai_flags |= AI_ADDRCONFIG;
    snprintf(service, sizeof service, "%u", (unsigned)port);
    *count = 0;
    errno = 0;
    int code = getaddrinfo(host, service, &hints, &list);
    *system = errno;
    if (code == 0) {
        for (struct addrinfo *each = list; each != NULL && *count < capacity; each = each->ai_next)
            if (each->ai_family == family && cuv_address_read(&out[*count], each->ai_addr) == 0) *count += 1;
        freeaddrinfo(list);
    }
    // getaddrinfo also reports "no such name" when it could not open /etc/hosts or a socket.
    int is_missing = code == 0 ? *count == 0 : cuv_is_no_such_name(code);
    if (is_missing && (*system == EMFILE || *system == ENFILE || cuv_lacks_descriptors(1))) {
        *system = EMFILE;
        return EAI_SYSTEM;
    }
    return code;
}

CUV_INLINE const char *cuv_resolve_text(int code, int system) {
    return code == EAI_SYSTEM ? strerror(system) : gai_strerror(code);
}

CUV_INLINE int cuv_no_such_name_code(void) { return EAI_NONAME; }

// A thread on which no signal of the host is ever delivered, to be joined or detached.
CUV_INLINE int cuv_start_thread(uintptr_t *started, void *(*body)(void *), void *argument) {
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&thread, NULL, body, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code == 0) *started = (uintptr_t)thread;
    return CUV_CODE(code);
}

CUV_INLINE void cuv_join_thread(uintptr_t thread) { pthread_join((pthread_t)thread, NULL); }

CUV_INLINE void cuv_detach_thread(uintptr_t thread) { pthread_detach((pthread_t)thread); }

CUV_INLINE int cuv_start_detached_thread(void *(*body)(void *), void *argument) {
    uintptr_t thread;
    int code = cuv_start_thread(&thread, body, argument);
    if (code == 0) cuv_detach_thread(thread);
    return code;
}

// For debuggers. Linux takes the first 15 bytes.
CUV_INLINE void cuv_name_current_thread(const char *name) {
#ifdef __linux__
    prctl(PR_SET_NAME, name);
#elif defined(__APPLE__)
    pthread_setname_np(name);
#endif
}

CUV_INLINE uintptr_t cuv_current_thread(void) { return (uintptr_t)pthread_self(); }

CUV_INLINE void cuv_after_fork_in_child(void (*child)(void)) { pthread_atfork(NULL, NULL, child); }

CUV_INLINE void cuv_wall_clock(int64_t *seconds, int32_t *nanoseconds) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *seconds = (int64_t)now.tv_sec;
    *nanoseconds = (int32_t)now.tv_nsec;
}

CUV_INLINE void cuv_say(const char *sentence) { fprintf(stderr, "%s\n", sentence); }

#endif
