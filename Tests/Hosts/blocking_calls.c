/* Records calls in which the thread of a loop slept for more than a millisecond, for a program started with LD_PRELOAD.
 *
 * A call counts if it is made inside of uv_run, by the thread that runs it, and is one of those listed below, which may
 * wait for something. The loop's own poll is not. A machine that is busy does not count: the time without a processor
 * is subtracted, and a thread that did not give up its processor of its own accord did not wait. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static __thread int depth;
static int count;

struct moment {
    long long time, processor, queue;
    long switches;
};

static long long nanoseconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* How long the thread has waited for a processor; 0 where the system does not say. */
static long long queued(void) {
    static ssize_t (*next)(int, void *, size_t);
    if (next == NULL) next = (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
    char text[96] = "";
    long long run = 0, wait = 0;
    int fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t size = next(fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    return size > 0 && sscanf(text, "%lld %lld", &run, &wait) == 2 ? wait : 0;
}

static struct moment now(void) {
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return (struct moment){nanoseconds(CLOCK_MONOTONIC), nanoseconds(CLOCK_THREAD_CPUTIME_ID), queued(),
        usage.ru_nvcsw};
}

static void record(const char *name, struct moment start) {
    struct moment end = now();
    if (end.switches == start.switches) return;
    long long slept = (end.time - start.time) - (end.processor - start.processor) - (end.queue - start.queue);
    if (slept <= 1000000) return;
    __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
    fprintf(stderr, "%s blocked\n", name);
}

int uv_run(void *loop, int mode) {
    depth++;
    int result = ((int (*)(void *, int))dlsym(RTLD_NEXT, "uv_run"))(loop, mode);
    depth--;
    return result;
}

#define RECORD(type, name, parameters, arguments)                                                                      \
    type name parameters {                                                                                             \
        static type(*next) parameters;                                                                                 \
        if (next == NULL) next = (type(*) parameters)dlsym(RTLD_NEXT, #name);                                          \
        if (depth == 0) return next arguments;                                                                         \
        struct moment start = now();                                                                                   \
        type returned = next arguments;                                                                                \
        record(#name, start);                                                                                          \
        return returned;                                                                                               \
    }

RECORD(int, connect, (int fd, const struct sockaddr *address, socklen_t length), (fd, address, length))
RECORD(ssize_t, recv, (int fd, void *bytes, size_t size, int flags), (fd, bytes, size, flags))
RECORD(ssize_t, recvfrom,
    (int fd, void *bytes, size_t size, int flags, struct sockaddr *from, socklen_t *length),
    (fd, bytes, size, flags, from, length))
RECORD(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))
RECORD(ssize_t, send, (int fd, const void *bytes, size_t size, int flags), (fd, bytes, size, flags))
RECORD(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
RECORD(ssize_t, sendto,
    (int fd, const void *bytes, size_t size, int flags, const struct sockaddr *to, socklen_t length),
    (fd, bytes, size, flags, to, length))
RECORD(ssize_t, readv, (int fd, const struct iovec *all, int number), (fd, all, number))
RECORD(ssize_t, writev, (int fd, const struct iovec *all, int number), (fd, all, number))
RECORD(ssize_t, read, (int fd, void *bytes, size_t size), (fd, bytes, size))
RECORD(ssize_t, write, (int fd, const void *bytes, size_t size), (fd, bytes, size))
RECORD(int, close, (int fd), (fd))
RECORD(int, poll, (struct pollfd *all, nfds_t number, int timeout), (all, number, timeout))
RECORD(int, select, (int number, fd_set *in, fd_set *out, fd_set *error, struct timeval *timeout),
    (number, in, out, error, timeout))
RECORD(int, ppoll, (struct pollfd *all, nfds_t number, const struct timespec *timeout, const sigset_t *signals),
    (all, number, timeout, signals))
RECORD(pid_t, waitpid, (pid_t process, int *status, int flags), (process, status, flags))
RECORD(int, clock_nanosleep, (clockid_t clock, int flags, const struct timespec *time, struct timespec *rest),
    (clock, flags, time, rest))
RECORD(int, nanosleep, (const struct timespec *time, struct timespec *rest), (time, rest))
RECORD(int, usleep, (useconds_t time), (time))
RECORD(int, getaddrinfo,
    (const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **result),
    (name, service, hints, result))
RECORD(int, pthread_join, (pthread_t thread, void **result), (thread, result))
RECORD(int, sem_wait, (sem_t *semaphore), (semaphore))
RECORD(int, pthread_cond_wait, (pthread_cond_t *condition, pthread_mutex_t *mutex), (condition, mutex))
RECORD(int, pthread_cond_timedwait,
    (pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until), (condition, mutex, until))

__attribute__((destructor)) static void report(void) { fprintf(stderr, "blocking calls: %d\n", count); }
