/* Adds each notification of a channel to a Redis stream: GenesysLoop and hiredis on one libuv loop.
 *     cc redis.c $(pkg-config --cflags --libs genesys-loop libuv hiredis) -o redis
 *     ./redis URI CA-FILE COUNT TOPIC REDIS-SOCKET STREAM
 * Notifications that Redis has not acknowledged stay in a queue and are added again after a reconnect with the same
 * id, so Redis stores each one once. While the queue is long, the channel pauses.
 * This program is for a host that must do it in its own loop. `genesys-loop relay` does more without a program: gaps
 * are records of the stream, a second writer is refused, and what Redis loses is reported. */
#include <genesys_loop.h>
#include <hiredis/adapters/libuv.h>
#include <signal.h>
#include <time.h>
enum { HIGH_WATER = 65536, LOW_WATER = 16384, CHECK_MILLISECONDS = 100 };
typedef struct item { struct item *next; unsigned long number, sent; size_t size; char bytes[]; } item;
static item *first, **last = &first; /* the queue: what is received and not acknowledged */
static unsigned long received, acknowledged, wanted;
static long long start; /* ids begin with it, so that they grow from one run to the next */
static const char *address, *stream;
static int is_ready, is_over, status;
static uv_loop_t loop; /* ours: neither of the libraries runs or closes it */
static uv_timer_t timer;
static genesys_loop *genesys;
static genesys_channel *channel;
static redisAsyncContext *redis;
static void finish(int code) {
    is_over = 1, status = code;
    genesys_channel_close(channel);
    if (redis != NULL) redisAsyncDisconnect(redis);
    uv_close((uv_handle_t *)&timer, NULL);
    genesys_loop_detach(genesys, NULL, NULL);
    genesys_channel_release(channel), genesys_loop_release(genesys);
}
static void did_add(redisAsyncContext *context, void *reply, void *user) {
    const redisReply *answer = ((void)context, (void)user, reply);
    if (answer == NULL || is_over) return; /* the connection was lost; the queue still has it */
    int is_known = first->sent > 1; /* then Redis may have it already, and finds its id too small */
    int is_refused = answer->type == REDIS_REPLY_ERROR && !(is_known && strstr(answer->str, "equal or smaller"));
    if (is_refused) fprintf(stderr, "Redis refuses: %s\n", answer->str);
    item *done = first;
    if ((first = done->next) == NULL) last = &first;
    free(done);
    if (received - ++acknowledged == LOW_WATER) genesys_channel_resume(channel);
    if (is_refused || acknowledged == wanted) finish(is_refused ? 1 : status);
}
static void add(item *it) {
    const char *format = "XADD %s %lld-%lu json %b";
    it->sent++, redisAsyncCommand(redis, did_add, NULL, format, stream, start, it->number, it->bytes, it->size);
}
static void did_ping(redisAsyncContext *context, void *reply, void *user) {
    if ((void)user, reply == NULL) return;
    is_ready = ((redisReply *)reply)->type != REDIS_REPLY_ERROR; /* or it is still loading */
    for (item *it = is_ready ? first : NULL; it != NULL; it = it->next) add(it);
    if (!is_ready) redisAsyncDisconnect(context);
}
static void did_disconnect(const redisAsyncContext *context, int code) {
    (void)context, (void)code, redis = NULL, is_ready = 0;
}
static void did_connect(const redisAsyncContext *context, int code) {
    if (code != REDIS_OK) did_disconnect(context, code);
    else redisAsyncCommand(redis, did_ping, NULL, "PING");
}
static void check_redis(uv_timer_t *handle) {
    redisLibuvEvents *events = redis == NULL ? NULL : redis->ev.data;
    /* An error that hiredis 0.14 ignores. */
    int is_lost = events != NULL && !uv_is_active((uv_handle_t *)&events->handle);
    if (is_lost) redisAsyncFree(redis), did_disconnect(NULL, REDIS_ERR);
    if ((void)handle, redis != NULL) return;
    if ((redis = redisAsyncConnectUnix(address))->err == 0) {
        redisLibuvAttach(redis, &loop);
        redisAsyncSetConnectCallback(redis, did_connect);
        redisAsyncSetDisconnectCallback(redis, did_disconnect);
    } else redisAsyncFree(redis), redis = NULL;
}
static void did_receive(genesys_channel *from, const genesys_notification *notification, void *user) {
    item *it = malloc(sizeof *it + notification->message.size); if (it == NULL) abort();
    *it = (item){.number = ++received, .size = notification->message.size};
    memcpy(it->bytes, notification->message.data, it->size);
    last = &(*last = it)->next;
    if (is_ready) add(it);
    if (received == wanted) genesys_channel_close(from);
    if ((void)user, received - acknowledged == HIGH_WATER) genesys_channel_pause(from);
}
static void did_fail(genesys_channel *from, const genesys_failure *failure, void *user) {
    fprintf(stderr, "%s (%s)\n", failure->description, failure->reason);
    (void)from, (void)user, wanted = received, status = 1; /* what is in the queue is still to be added */
    if (acknowledged == wanted) finish(1);
}
int main(int argc, char **argv) {
    if (argc != 7) return fprintf(stderr, "usage: redis URI CA-FILE COUNT TOPIC REDIS-SOCKET STREAM\n"), 64;
    const char *topics[] = {argv[4]};
    wanted = strtoul(argv[3], NULL, 10), address = argv[5], stream = argv[6], start = (long long)time(NULL) * 1000;
    signal(SIGPIPE, SIG_IGN); /* hiredis writes to sockets that are closed */
    uv_loop_init(&loop), uv_timer_init(&loop, &timer);
    genesys_error error;
    genesys_channel_callbacks callbacks = {
        .struct_size = sizeof callbacks, .did_receive = did_receive, .did_fail = did_fail};
    genesys_channel_config config = {.struct_size = sizeof config, .ca_file = argv[2]};
    if ((genesys = genesys_loop_adopt(&loop, &error)) != NULL) genesys_loop_bind(genesys);
    channel = genesys == NULL ? NULL : genesys_channel_new(genesys, argv[1], topics, 1, &callbacks, &config, &error);
    if (channel == NULL) return fprintf(stderr, "%s\n", error.message), 64;
    uv_timer_start(&timer, check_redis, 0, CHECK_MILLISECONDS);
    genesys_channel_open(channel);
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop) == 0 ? status : 70;
}
