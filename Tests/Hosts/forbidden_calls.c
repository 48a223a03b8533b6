/* Counts the calls that only a loop's owner may make, for a program started with LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>

static atomic_int runs, stops, walks, closes;

int uv_run(void *loop, int mode) {
    runs++;
    return ((int (*)(void *, int))dlsym(RTLD_NEXT, "uv_run"))(loop, mode);
}

void uv_stop(void *loop) {
    stops++;
    ((void (*)(void *))dlsym(RTLD_NEXT, "uv_stop"))(loop);
}

void uv_walk(void *loop, void *visit, void *argument) {
    walks++;
    ((void (*)(void *, void *, void *))dlsym(RTLD_NEXT, "uv_walk"))(loop, visit, argument);
}

int uv_loop_close(void *loop) {
    closes++;
    return ((int (*)(void *))dlsym(RTLD_NEXT, "uv_loop_close"))(loop);
}

__attribute__((destructor)) static void report(void) {
    fprintf(stderr, "uv_run %d, uv_stop %d, uv_walk %d, uv_loop_close %d\n", runs, stops, walks, closes);
}
