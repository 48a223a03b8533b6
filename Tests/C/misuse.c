/* Calls that end the process with a message, which names the function of C.
 *
 * usage: program MISUSE */
#include <genesys_loop.h>
#include <pthread.h>
#include <string.h>
#include <uv.h>

static genesys_loop *loop;
static genesys_channel *channel;

static void completed(void *user) { (void)user; }

static void *elsewhere(void *misuse) {
    if (strcmp(misuse, "close_all") == 0) genesys_loop_close_all(loop);
    if (strcmp(misuse, "keeps_running") == 0) genesys_loop_set_keeps_running(loop, 1);
    if (strcmp(misuse, "open") == 0) genesys_channel_open(channel);
    if (strcmp(misuse, "subscribe") == 0) {
        const char *topic = "v2.a";
        genesys_channel_subscribe(channel, &topic, 1, NULL);
    }
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 2) return 64;
    uv_loop_t raw;
    int is_adopted = strcmp(arguments[1], "stop") == 0 || strcmp(arguments[1], "run") == 0;
    if (is_adopted) uv_loop_init(&raw);
    loop = is_adopted ? genesys_loop_adopt(&raw, NULL) : genesys_loop_new(NULL);
    if (strcmp(arguments[1], "detach") == 0) genesys_loop_detach(loop, completed, NULL);
    if (strcmp(arguments[1], "stop") == 0) genesys_loop_stop(loop);
    if (strcmp(arguments[1], "run") == 0) genesys_loop_run(loop);
    genesys_channel_callbacks callbacks = {.struct_size = sizeof callbacks};
    channel = genesys_channel_new(loop, "wss://localhost/c", NULL, 0, &callbacks, NULL, NULL);
    pthread_t thread;
    pthread_create(&thread, NULL, elsewhere, arguments[1]);
    pthread_join(thread, NULL);
    return 0;
}
