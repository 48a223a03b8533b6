// Adds records to a stream of Redis with hiredis and libuv: a plain XADD for each, and nothing that makes it once.
//
// usage: hiredis SOCKET --records N
//        hiredis SOCKET --rate R --seconds S [--stalled 1]

#include <errno.h>
#include <hiredis/adapters/libuv.h>
#include <hiredis/async.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

enum { SIZE = 400, WINDOW = 256, MOST_LATENCIES = 4000000 };

static const char topic[] = "v2.users.2f1c0f0e-5b1d-4f7e-9c3b-6d2a8e4f0a17.presence";
static char message[SIZE];
static redisAsyncContext *context;
static uv_timer_t timer;
static long count, rate, begun, stored;
static bool is_stalled;
static double start, start_cpu;
static uint32_t *latencies;  // in microseconds

static double seconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fail(const char *what) {
    fprintf(stderr, "hiredis: %s\n", what);
    exit(69);
}

static long memory(const char *name) {
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long value = 0;
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0) value = strtol(line + strlen(name), NULL, 10) * 1024;
    if (file) fclose(file);
    return value;
}

static int by_size(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static void finish(long before) {
    double wall = seconds(CLOCK_MONOTONIC) - start, cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - start_cpu;
    long most = memory("VmHWM:");
    printf("{\"records\":%ld,\"seconds\":%f,\"cpu\":%f", begun, wall, cpu);
    if (rate > 0 && stored > 0) {
        qsort(latencies, (size_t)stored, sizeof *latencies, by_size);
        printf(",\"median\":%f,\"p99\":%f", latencies[stored / 2] / 1e6, latencies[stored * 99 / 100] / 1e6);
    }
    printf(",\"before\":%ld,\"most\":%ld}\n", before, most);
    fflush(NULL);
    _Exit(0);
}

static long resident_before;

static void add(void);

static void fill(void) {
    while (begun < count && begun - stored < WINDOW) add();
}

static void added(redisAsyncContext *from, void *reply, void *data) {
    (void)from;
    redisReply *answer = reply;
    if (!answer || answer->type != REDIS_REPLY_STRING) fail(answer ? answer->str : "the connection is lost");
    if (rate > 0) {
        uint64_t since = (uint64_t)(uintptr_t)data;
        latencies[stored] = (uint32_t)(uv_hrtime() / 1000 - since);
    }
    stored++;
    if (rate == 0) fill();
    if (stored == count) finish(resident_before);
}

// The fields of a record of a relay.
static void add(void) {
    char id[64], when[40];
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    size_t when_size = strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &parts);
    when_size += (size_t)snprintf(when + when_size, sizeof when - when_size, ".%06ldZ", now.tv_nsec / 1000);
    int id_size = snprintf(id, sizeof id, "%ld.%020ld", 1785576615L, begun + 1);
    const char *words[] = {"XADD", "{genesys:bench}", "*", "id", id, "type", "genesys.notification", "topic", topic,
                           "time", when, "source", "genesys/bench", "data", message};
    size_t sizes[] = {4, 15, 1, 2, (size_t)id_size, 4, 20, 5, sizeof topic - 1, 4, when_size, 6, 13, 4, SIZE};
    void *data = (void *)(uintptr_t)(uv_hrtime() / 1000);
    if (redisAsyncCommandArgv(context, added, data, 15, words, sizes) != REDIS_OK) fail("a command is refused");
    begun++;
}

static void paced(uv_timer_t *handle) {
    (void)handle;
    long due = (long)((seconds(CLOCK_MONOTONIC) - start) * (double)rate);
    while (begun < count && begun < due) add();
    if (is_stalled && begun == count) finish(resident_before);
}

static void connected(const redisAsyncContext *from, int status) {
    if (status != REDIS_OK) fail(from->errstr);
    if (is_stalled) {
        printf("READY\n");
        fflush(NULL);
        (void)getchar();
    }
    resident_before = memory("VmRSS:");
    start = seconds(CLOCK_MONOTONIC);
    start_cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    if (rate == 0) return fill();
    uv_timer_init(uv_default_loop(), &timer);
    uv_timer_start(&timer, paced, 1, 1);
}

int main(int argc, char **argv) {
    long length = 0;
    for (int place = 2; place + 1 < argc; place += 2) {
        long value = strtol(argv[place + 1], NULL, 10);
        if (strcmp(argv[place], "--records") == 0) count = value;
        if (strcmp(argv[place], "--rate") == 0) rate = value;
        if (strcmp(argv[place], "--seconds") == 0) length = value;
        if (strcmp(argv[place], "--stalled") == 0) is_stalled = true;
    }
    if (rate > 0) count = rate * length;
    if (argc < 4 || count < 1 || count > MOST_LATENCIES) fail("a socket, and --records, or --rate and --seconds");
    static const char head[] =
        "{\"topicName\":\"v2.users.2f1c0f0e-5b1d-4f7e-9c3b-6d2a8e4f0a17.presence\","
        "\"eventBody\":{\"source\":\"PURECLOUD\",\"primary\":true,\"message\":\"";
    memset(message, 'x', SIZE);
    memcpy(message, head, sizeof head - 1);
    memcpy(message + SIZE - 3, "\"}}", 3);
    latencies = rate > 0 ? malloc((size_t)count * sizeof *latencies) : NULL;
    context = redisAsyncConnectUnix(argv[1]);
    if (!context || context->err) fail(context ? context->errstr : "no memory");
    redisLibuvAttach(context, uv_default_loop());
    redisAsyncSetConnectCallback(context, connected);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    fail("the loop has ended");
}
