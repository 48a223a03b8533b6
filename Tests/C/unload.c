/* What genesys_loop.h promises about dlclose: the library stays in memory. It is loaded, used for a channel and
 * unloaded, three times; then it is unloaded while look-ups of its own run, which end afterwards.
 *
 * usage: program LIBRARY
 *
 * Prints each promise that is not kept, or crashes. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <genesys_loop.h>
#include <netdb.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *library;
static genesys_loop *loop;
static genesys_channel *channel;
static int failed;
static atomic_int look_up_count, may_end;

static void *find(const char *name) {
    void *function = dlsym(library, name);
    if (function == NULL) printf("%s is missing: %s\n", name, dlerror()), exit(1);
    return function;
}
#define CALL(name) (__extension__((__typeof__(&name))find(#name)))

static void did_fail(genesys_channel *channel, const genesys_failure *failure, void *user) {
    (void)channel, (void)user;
    if (strcmp(failure->reason, "connect") != 0) printf("it failed for another reason: %s\n", failure->description);
    failed++;
}

static void close_channel(void *unused) {
    (void)unused;
    CALL(genesys_channel_close)(channel);
}

/* The library's threads call this one: a program's comes before the system's. It ends after the unloading. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
    (void)name, (void)service, (void)hints, (void)result;
    if (look_up_count++ == 0) CALL(genesys_loop_execute)(loop, close_channel, NULL);
    while (!may_end) sched_yield();
    return EAI_NONAME;
}

static void load(const char *path) {
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) printf("it cannot be loaded: %s\n", dlerror()), exit(1);
}

static void run_channel(const char *uri) {
    genesys_channel_callbacks callbacks = {.struct_size = sizeof callbacks, .did_fail = did_fail};
    genesys_channel_config config = {.struct_size = sizeof config, .reconnect = GENESYS_RECONNECT_NEVER};
    genesys_error error;
    const char *topic = "v2.users.a.presence";
    loop = CALL(genesys_loop_new)(NULL);
    channel = CALL(genesys_channel_new)(loop, uri, &topic, 1, &callbacks, &config, &error);
    if (channel == NULL) printf("no channel: %s\n", error.message), exit(1);
    CALL(genesys_channel_open)(channel);
    CALL(genesys_loop_run)(loop);
    CALL(genesys_channel_release)(channel);
    CALL(genesys_loop_release)(loop);
}

/* How many threads this process has. */
static int count_threads(void) {
    DIR *folder = opendir("/proc/self/task");
    int count = 0;
    if (folder == NULL) printf("there is no /proc\n"), exit(1);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

int main(int count, char **arguments) {
    if (count != 2) return 64;
    for (int i = 0; i < 3; i++) {
        load(arguments[1]);
        run_channel("ws://127.0.0.1:9/"); /* nothing listens there */
        dlclose(library);
    }
    if (failed != 3) printf("%d of 3 channels failed\n", failed);

    load(arguments[1]);
    run_channel("ws://name.test/");
    dlclose(library);
    if (look_up_count == 0) puts("nothing was looked up");
    may_end = 1;
    while (count_threads() > 1) sched_yield(); /* its threads return into the library, and end there */
    puts("it stayed");
    return 0;
}
