/* Prints the notifications of a channel, on the program's own libuv loop.
 *
 *     cc listen.c $(pkg-config --cflags --libs genesys-loop libuv) -o listen
 *     ./listen URI CA-FILE COUNT TOPIC [TOPIC ...]
 */
#include <genesys_loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

typedef struct {
    genesys_loop *loop;
    unsigned long wanted, received;
    int status;
} program;

static void did_receive(genesys_channel *channel, const genesys_notification *notification, void *user) {
    program *self = user;
    fwrite(notification->message.data, 1, notification->message.size, stdout);
    putchar('\n');
    if (++self->received == self->wanted) genesys_channel_close(channel);
}

static void did_miss(genesys_channel *channel, const genesys_gap *gap, void *user) {
    (void)channel, (void)user;
    fprintf(stderr, "notifications may be missing for %.0f s (%s)\n",
            (double)(gap->to.seconds - gap->from.seconds), gap->reason);
}

static void did_leave(void *user) { (void)user; }

static void did_fail(genesys_channel *channel, const genesys_failure *failure, void *user) {
    program *self = user;
    (void)channel;
    fprintf(stderr, "%s (%s, %s)\n", failure->description, failure->kind, failure->reason);
    self->status = 1;
    genesys_loop_detach(self->loop, did_leave, self);
}

static void did_close(genesys_channel *channel, void *user) {
    program *self = user;
    (void)channel;
    genesys_loop_detach(self->loop, did_leave, self);
}

int main(int argc, char **argv) {
    if (argc < 5) {
        fprintf(stderr, "usage: listen URI CA-FILE COUNT TOPIC [TOPIC ...]\n");
        return 64;
    }
    uv_loop_t loop; /* yours: GenesysLoop neither runs nor closes it */
    uv_loop_init(&loop);
    genesys_error error;
    program self = {.wanted = strtoul(argv[3], NULL, 10)};
    genesys_channel_callbacks callbacks = {.struct_size = sizeof callbacks, .user = &self, .did_receive = did_receive,
                                           .did_miss = did_miss, .did_fail = did_fail, .did_close = did_close};
    genesys_channel_config config = {.struct_size = sizeof config, .ca_file = argv[2]};
    genesys_channel *channel = NULL;
    if ((self.loop = genesys_loop_adopt(&loop, &error)) != NULL) {
        genesys_loop_bind(self.loop);
        channel = genesys_channel_new(self.loop, argv[1], (const char *const *)(argv + 4), (size_t)(argc - 4),
                                      &callbacks, &config, &error);
    }
    if (channel == NULL) {
        fprintf(stderr, "%s\n", error.message);
        return 64;
    }
    genesys_channel_open(channel);
    uv_run(&loop, UV_RUN_DEFAULT);
    genesys_channel_release(channel);
    genesys_loop_release(self.loop);
    uv_run(&loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&loop) != 0) fprintf(stderr, "something is left on the loop\n"), self.status = 70;
    return self.status;
}
