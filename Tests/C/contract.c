/* What genesys_loop.h promises about arguments, sizes, threads and the end of a loop. Prints each promise that is not
 * kept. */
#include <genesys_loop.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

static int broken;

#define EXPECT(condition) \
    do { \
        if (!(condition)) printf("line %d: not so: %s\n", __LINE__, #condition), broken = 1; \
    } while (0)

static const char uri[] = "ws://127.0.0.1:9/";
static const char *const topics[] = {"v2.users.a.presence"};
static int closed, failed, stayed, executed;
static genesys_channel_state last_state;
static genesys_loop *loop;

static void did_close(genesys_channel *channel, void *user) {
    EXPECT(user == &closed);
    closed++;
    genesys_channel_release(channel); /* legal, and the last that is heard of it */
}

/* A channel that cannot connect: from idle to connecting to ended. */
static void did_change(genesys_channel *channel, genesys_channel_state state, void *user) {
    (void)user;
    EXPECT(state == genesys_channel_get_state(channel) && failed == 0);
    EXPECT(state == (last_state == GENESYS_CHANNEL_IDLE ? GENESYS_CHANNEL_CONNECTING : GENESYS_CHANNEL_ENDED));
    last_state = state;
}

static void did_fail(genesys_channel *channel, const genesys_failure *failure, void *user) {
    (void)user;
    failed++;
    EXPECT(last_state == GENESYS_CHANNEL_ENDED && genesys_channel_get_state(channel) == GENESYS_CHANNEL_ENDED);
    EXPECT(strcmp(failure->kind, "initialization.connection") == 0);
    EXPECT(strcmp(failure->reason, "connect") == 0 && strcmp(failure->phase, "connect") == 0);
    EXPECT(failure->http_status == 0 && failure->retry_after < 0 && failure->message == NULL);
    EXPECT(failure->correlation_id == NULL && failure->location == NULL);
    EXPECT(strlen(failure->description) > 20 && failure->remedy == GENESYS_REMEDY_RETRY_LATER);
    genesys_channel_open(channel), genesys_channel_close(channel); /* it is over: nothing follows */
    genesys_channel_release(channel);
}

static void did_fail_rollover(genesys_channel *channel, const genesys_failure *failure, void *user) {
    (void)channel, (void)user;
    stayed++;
    EXPECT(failed == 0); /* not terminal */
    EXPECT(strcmp(failure->kind, "recovery.rollover") == 0 && strcmp(failure->reason, "invalidURI") == 0);
}

static void count_execution(void *user) {
    EXPECT(user == &executed && genesys_loop_is_current(loop));
    if (++executed == 2000) genesys_loop_stop(loop);
}

static void *execute(void *unused) {
    EXPECT(!genesys_loop_is_current(loop));
    for (int i = 0; i < 1000; i++) EXPECT(genesys_loop_execute(loop, count_execution, &executed) == GENESYS_OK);
    return unused;
}

static genesys_channel *make(const char *address, size_t count, const genesys_channel_callbacks *callbacks,
                             const genesys_channel_config *config, genesys_status expected) {
    genesys_error error;
    memset(&error, 'x', sizeof error);
    genesys_channel *channel = genesys_channel_new(loop, address, topics, count, callbacks, config, &error);
    if (error.status != expected) {
        printf("%s: status %d instead of %d: %s\n", address, error.status, expected, error.message);
        broken = 1;
    }
    EXPECT((channel != NULL) == (expected == GENESYS_OK));
    if (channel == NULL) EXPECT(memchr(error.message, 0, sizeof error.message) != NULL && strlen(error.message) > 10);
    return channel;
}

static void check_arguments(void) {
    genesys_channel_callbacks callbacks = {.struct_size = sizeof callbacks, .user = &closed, .did_close = did_close};
    genesys_channel_config config = {.struct_size = sizeof config};
    genesys_error error;
    EXPECT(genesys_channel_new(NULL, uri, topics, 1, &callbacks, NULL, &error) == NULL);
    EXPECT(error.status == GENESYS_ERROR_ARGUMENT);
    make(NULL, 1, &callbacks, NULL, GENESYS_ERROR_ARGUMENT);
    make(uri, 1, NULL, NULL, GENESYS_ERROR_ARGUMENT);
    make("http://a/", 1, &callbacks, NULL, GENESYS_ERROR_URI);
    config.ca_file = "no such file";
    make("wss://127.0.0.1:9/", 1, &callbacks, &config, GENESYS_ERROR_TLS);
    config.ca_file = NULL;
    config.client_key = "alone";
    make(uri, 1, &callbacks, &config, GENESYS_ERROR_ARGUMENT);
    config.client_key = NULL;
    config.lifetime = -1;
    make(uri, 1, &callbacks, &config, GENESYS_ERROR_ARGUMENT);
    config.lifetime = 0;
    config.proxy = "gopher://a";
    make(uri, 1, &callbacks, &config, GENESYS_ERROR_PROXY);
    config.proxy = NULL;
    config.struct_size = 0;
    make(uri, 1, &callbacks, &config, GENESYS_ERROR_ARGUMENT);

    /* Smaller than this version's, as an older program has it; larger, as a newer one has it, empty and not empty. */
    config.struct_size = offsetof(genesys_channel_config, proxy);
    genesys_channel_release(make(uri, 1, &callbacks, &config, GENESYS_OK));
    struct {
        genesys_channel_config known;
        uint64_t later;
    } newer = {.known = {.struct_size = sizeof newer}};
    genesys_channel_release(make(uri, 1, &callbacks, &newer.known, GENESYS_OK));
    newer.later = 1;
    make(uri, 1, &callbacks, &newer.known, GENESYS_ERROR_ARGUMENT);

    genesys_channel *channel = make(uri, 1, &callbacks, NULL, GENESYS_OK);
    const char *const bad[] = {"with white space"};
    EXPECT(genesys_channel_subscribe(channel, bad, 1, &error) == GENESYS_ERROR_TOPICS);
    EXPECT(genesys_channel_subscribe(channel, NULL, 1, NULL) == GENESYS_ERROR_ARGUMENT);
    EXPECT(genesys_channel_set_topics(NULL, bad, 1, NULL) == GENESYS_ERROR_ARGUMENT);
    genesys_channel_statistics statistics = {.struct_size = offsetof(genesys_channel_statistics, gap_count)};
    statistics.gap_count = 77;
    EXPECT(genesys_channel_get_statistics(channel, &statistics, NULL) == GENESYS_OK);
    EXPECT(statistics.received_count == 0 && statistics.gap_count == 77);
    EXPECT(genesys_channel_get_state(channel) == GENESYS_CHANNEL_IDLE);
    EXPECT(genesys_channel_get_state(NULL) == GENESYS_CHANNEL_IDLE);
    genesys_channel_open(channel);
    EXPECT(genesys_channel_get_state(channel) == GENESYS_CHANNEL_CONNECTING);
    genesys_channel_close(channel);
    genesys_channel_close(channel);
    genesys_loop_run(loop);
    EXPECT(closed == 1);
}

static void count(void *user) { ++*(int *)user; }

/* No channel is made on a loop that the program leaves, or has left. */
static void expect_no_channel(genesys_loop *left) {
    genesys_channel_callbacks callbacks = {.struct_size = sizeof callbacks, .user = &closed, .did_close = did_close};
    genesys_error error;
    EXPECT(genesys_channel_new(left, uri, topics, 1, &callbacks, NULL, &error) == NULL);
    EXPECT(error.status == GENESYS_ERROR_LOOP && strstr(error.message, "genesys_loop_detach") != NULL);
}

/* A loop of the program, left: what was given to it before is called, and what comes afterwards is refused. */
static void check_detached_loop(void) {
    int before = 0, after = 0, left = 0;
    uv_loop_t own;
    EXPECT(uv_loop_init(&own) == 0);
    genesys_loop *adopted = genesys_loop_adopt(&own, NULL);
    EXPECT(genesys_loop_execute(NULL, count, &before) == GENESYS_ERROR_ARGUMENT);
    EXPECT(genesys_loop_execute(adopted, NULL, &before) == GENESYS_ERROR_ARGUMENT);
    EXPECT(genesys_loop_execute(adopted, count, &before) == GENESYS_OK);
    genesys_loop_detach(adopted, count, &left);
    genesys_loop_detach(adopted, count, &left); /* again: harmless, and each completion is called */
    expect_no_channel(adopted);
    uv_run(&own, UV_RUN_DEFAULT);
    EXPECT(before == 1 && left == 2);
    expect_no_channel(adopted);
    EXPECT(genesys_loop_execute(adopted, count, &after) == GENESYS_ERROR_LOOP);
    uv_run(&own, UV_RUN_DEFAULT);
    EXPECT(after == 0);
    genesys_loop_release(adopted);
    EXPECT(uv_loop_close(&own) == 0);
}

/* After genesys_loop_run has returned, a function waits for the next one. */
static void check_waiting_function(void) {
    int called = 0;
    genesys_loop *idle = genesys_loop_new(NULL);
    genesys_loop_run(idle);
    EXPECT(genesys_loop_execute(idle, count, &called) == GENESYS_OK && called == 0);
    genesys_loop_run(idle);
    EXPECT(called == 1);
    genesys_loop_release(idle);
}

int main(void) {
    genesys_error error;
    EXPECT(genesys_loop_version() == GENESYS_LOOP_VERSION_MAJOR * 1000000 + GENESYS_LOOP_VERSION_MINOR * 1000 +
                                         GENESYS_LOOP_VERSION_PATCH);
    EXPECT(strcmp(genesys_loop_version_text(), "0.1.0") == 0);
    EXPECT(genesys_loop_adopt(NULL, &error) == NULL && error.status == GENESYS_ERROR_ARGUMENT);
    genesys_loop_run(NULL), genesys_loop_release(NULL), genesys_channel_open(NULL), genesys_channel_release(NULL);
    if ((loop = genesys_loop_new(&error)) == NULL) return 1;
    genesys_loop_bind(loop);
    check_arguments();

    genesys_channel_callbacks callbacks = {
        .struct_size = sizeof callbacks, .did_fail = did_fail, .did_change = did_change};
    callbacks.did_fail_rollover = did_fail_rollover;
    genesys_channel_config config = {.struct_size = sizeof config, .reconnect = GENESYS_RECONNECT_NEVER};
    genesys_channel *channel = make(uri, 1, &callbacks, &config, GENESYS_OK);
    genesys_channel_open(channel);
    genesys_channel_rollover(channel, "http://a/");
    EXPECT(stayed == 0); /* reported by the loop */
    genesys_loop_run(loop);
    EXPECT(stayed == 1 && failed == 1);

    pthread_t threads[2];
    for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, execute, NULL);
    genesys_loop_set_keeps_running(loop, 1);
    genesys_loop_run(loop); /* until the last call stops it: nothing is open */
    EXPECT(executed == 2000);
    genesys_loop_set_keeps_running(loop, 0);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    genesys_loop_release(loop);
    check_detached_loop();
    check_waiting_function();
    if (!broken) puts("all is as promised");
    return broken;
}
