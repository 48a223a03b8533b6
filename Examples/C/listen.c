/* Prints the notifications of a channel, on the program's own libuv loop, until SIGTERM.
 *
 *     cc listen.c $(pkg-config --cflags --libs genesys-loop) -o listen
 *     ./listen URI CA-FILE COUNT TOPIC [TOPIC ...]    ends after COUNT notifications; 0 is no limit
 */
#include <genesys_loop.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

typedef struct {
    genesys_loop *loop;
    genesys_channel *channel;
    uv_signal_t on_term;
    unsigned long wanted, received;
    int status;
} program;

/* The end, whether the channel is open, has failed, or could not be made. Every call may be made in any callback. */
static void leave(program *self) {
    if (uv_is_closing((uv_handle_t *)&self->on_term)) return;
    genesys_channel_close(self->channel);         /* did_close follows, unless the channel has ended */
    genesys_loop_detach(self->loop, NULL, NULL);  /* takes effect when the channel has ended */
    genesys_channel_release(self->channel);
    genesys_loop_release(self->loop);
    uv_close((uv_handle_t *)&self->on_term, NULL); /* what is yours, you close */
}

static void did_receive(genesys_channel *channel, const genesys_notification *notification, void *user) {
    program *self = user;
    (void)channel;
    fwrite(notification->message.data, 1, notification->message.size, stdout);
    putchar('\n');
    if (++self->received == self->wanted) leave(self);
}

static void did_miss(genesys_channel *channel, const genesys_gap *gap, void *user) {
    (void)channel, (void)user;
    fprintf(stderr, "notifications may be missing for %.0f s (%s): read the state again over REST\n",
            (double)(gap->to.seconds - gap->from.seconds), gap->reason);
}

/* An attempt to connect has failed, also before the first connection, or the connection was lost. */
static void will_reconnect(genesys_channel *channel, const genesys_reconnect *attempt, void *user) {
    (void)channel, (void)user;
    fprintf(stderr, "the next attempt in %.1f s: %s\n", attempt->delay, attempt->failure->description);
}

static const char *advice(genesys_remedy remedy) {
    switch (remedy) {
    case GENESYS_REMEDY_RETRY_LATER: return "try again later";
    case GENESYS_REMEDY_NEW_CHANNEL: return "create a new channel";
    case GENESYS_REMEDY_NEW_TOKEN: return "get a new token, and create a channel with it";
    case GENESYS_REMEDY_FIX_CONFIGURATION: return "correct the configuration";
    case GENESYS_REMEDY_REPORT_TO_PEER: return "tell those who run the server";
    }
    return "unknown remedy"; /* of a later version */
}

static void did_fail(genesys_channel *channel, const genesys_failure *failure, void *user) {
    program *self = user;
    (void)channel;
    fprintf(stderr, "%s (%s: %s)\n", failure->description, failure->reason, advice(failure->remedy));
    self->status = 1;
    leave(self);
}

static void did_get_signal(uv_signal_t *handle, int number) {
    (void)number;
    leave(handle->data);
}

int main(int argc, char **argv) {
    if (argc < 5) {
        fprintf(stderr, "usage: listen URI CA-FILE COUNT TOPIC [TOPIC ...]\n");
        return 64;
    }
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* each line at once, into a pipe too */
    program self = {.wanted = strtoul(argv[3], NULL, 10)};
    uv_loop_t loop; /* yours: GenesysLoop neither runs nor closes it */
    uv_loop_init(&loop);
    uv_signal_init(&loop, &self.on_term);
    self.on_term.data = &self;
    uv_signal_start(&self.on_term, did_get_signal, SIGTERM);

    genesys_channel_callbacks callbacks = {.struct_size = sizeof callbacks, .user = &self, .did_receive = did_receive,
                                           .did_miss = did_miss, .will_reconnect = will_reconnect,
                                           .did_fail = did_fail};
    genesys_channel_config config = {.struct_size = sizeof config, .ca_file = argv[2]};
    genesys_error error;
    if ((self.loop = genesys_loop_adopt(&loop, &error)) != NULL)
        self.channel = genesys_channel_new(self.loop, argv[1], (const char *const *)(argv + 4), (size_t)(argc - 4),
                                           &callbacks, &config, &error);
    if (self.channel != NULL) {
        genesys_channel_open(self.channel);
    } else {
        fprintf(stderr, "%s\n", error.message);
        self.status = 64;
        leave(&self);
    }
    uv_run(&loop, UV_RUN_DEFAULT); /* until nothing is left on the loop */
    if (uv_loop_close(&loop) != 0) {
        fprintf(stderr, "something is left on the loop\n");
        self.status = 70;
    }
    return self.status;
}
