/* Runs a program on one core and prints what it cost.

   usage: measure CORE PROGRAM [ARGUMENTS...]

   Prints {"pid":…,"started":…} when it forked, and at the end, behind whatever the program printed,
   {"user":…,"system":…,"max_rss":…,"exit":…,"ended":…}: seconds, bytes, and nanoseconds of the monotonic
   clock. The figures are wait4's of exactly that child (and of those children that it waited for). A program in C,
   because a child forked by a larger one would begin with that one's peak of memory. The child ends with its parent. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t child;

static void forward(int number) { kill(child, number); }

static long long now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void become(char **command, int core) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET((size_t)core, &cores);
    if (sched_setaffinity(0, sizeof cores, &cores) != 0) perror("measure: the core is not to be had");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execvp(command[0], command);
    perror(command[0]);
    _exit(127);
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fputs("usage: measure CORE PROGRAM [ARGUMENTS...]\n", stderr);
        return 64;
    }
    /* As many descriptors as allowed: the scale tests open more than ten thousand connections. */
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    long long started = now_ns();
    child = fork();
    if (child == 0) become(argv + 2, atoi(argv[1]));
    if (child < 0) {
        perror("measure: fork");
        return 71;
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGTERM, forward);
    signal(SIGINT, forward);
    printf("{\"pid\":%d,\"started\":%lld}\n", (int)child, started);
    fflush(stdout);

    int status;
    struct rusage usage;
    while (wait4(child, &status, 0, &usage) != child) {
    }
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    printf("{\"user\":%.6f,\"system\":%.6f,\"max_rss\":%lld,\"exit\":%d,\"ended\":%lld}\n",
           (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6,
           (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6, (long long)usage.ru_maxrss * 1024,
           code, now_ns());
    return 0;
}
