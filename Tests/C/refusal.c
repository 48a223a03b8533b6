/* What a channel reports about a server that is not the service, in a line: of a failure `reason status correlation_id
 * location`, or `discarded` where the connection was made and something came that is no notification.
 *
 * usage: program URI CA-FILE ALPN
 *
 * `-` for CA-FILE or ALPN is NULL. */
#include <genesys_loop.h>
#include <stdio.h>
#include <string.h>

static const char *text(const char *string) { return string == NULL ? "NULL" : string; }

static void did_fail(genesys_channel *channel, const genesys_failure *failure, void *user) {
    (void)channel, (void)user;
    printf("%s %d %s %s\n", failure->reason, failure->http_status, text(failure->correlation_id),
           text(failure->location));
}

static void did_discard(genesys_channel *channel, genesys_bytes message, const char *reason, void *user) {
    (void)message, (void)reason, (void)user;
    puts("discarded");
    genesys_channel_close(channel);
}

int main(int count, char **arguments) {
    if (count != 4) return 64;
    const char *ca_file = strcmp(arguments[2], "-") == 0 ? NULL : arguments[2];
    const char *alpn = strcmp(arguments[3], "-") == 0 ? NULL : arguments[3];
    genesys_channel_callbacks callbacks = {
        .struct_size = sizeof callbacks, .did_fail = did_fail, .did_discard = did_discard};
    genesys_channel_config config = {
        .struct_size = sizeof config, .ca_file = ca_file, .alpn = alpn, .reconnect = GENESYS_RECONNECT_NEVER};
    genesys_error error = {.status = GENESYS_OK};
    const char *topic = "v2.users.a.presence";
    genesys_loop *loop = genesys_loop_new(&error);
    genesys_channel *channel = genesys_channel_new(loop, arguments[1], &topic, 1, &callbacks, &config, &error);
    if (channel == NULL) return printf("%d\n", error.status), 1;
    genesys_channel_open(channel);
    genesys_loop_run(loop);
    genesys_channel_release(channel);
    genesys_loop_release(loop);
    return 0;
}
