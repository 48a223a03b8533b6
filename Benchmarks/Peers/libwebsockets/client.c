/* A client with libwebsockets: a callback for each piece of a message, one service thread.

   usage: libwebsockets URI --ca FILE [--parse] [--echo] [--idle K] */
#include <cjson/cJSON.h>
#include <libwebsockets.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char subscribe[] =
    "{\"message\":\"subscribe\",\"topics\":[\"v2.users.e40f28ea-fa86-493f-a5b8-d559c8533c96.presence\"],"
    "\"correlationId\":\"uno5VlaUHt5t2Mul\"}";

static struct {
    char host[256], path[512];
    int port;
    const char *ca;
    bool parse, echo;
    size_t idle;
} options = {.port = 443, .path = "/"};

struct session {
    bool subscribed, confirmed;
};

static struct lws_context *context;
static unsigned long long messages, size;
static size_t opened, confirmed;
static bool done, failed;
/* The message so far: libwebsockets hands over pieces. One connection at a time is parsed or echoed. */
static unsigned char *message;
static size_t message_size, message_capacity;

static void connect_one(void) {
    struct lws_client_connect_info info = {
        .context = context, .address = options.host, .port = options.port, .path = options.path,
        /* It verifies names only: that of the host, whose address is in the URI. */
        .host = "localhost", .origin = "localhost",
        .ssl_connection = LCCSCF_USE_SSL, .local_protocol_name = "notifications"};
    opened++;
    if (lws_client_connect_via_info(&info) == NULL) failed = done = true;
}

static void append(const void *bytes, size_t length) {
    if (message_capacity < message_size + length) {
        message_capacity = (message_size + length) * 2;
        unsigned char *larger = realloc(message, LWS_PRE + message_capacity);
        if (larger == NULL) exit(71);
        message = larger;
    }
    memcpy(message + LWS_PRE + message_size, bytes, length);
    message_size += length;
}

static void received(struct lws *wsi, struct session *session, const void *bytes, size_t length) {
    bool whole = lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0;
    if (!session->confirmed) {
        if (!whole) return;
        session->confirmed = true;
        confirmed++;
        if (opened < options.idle) connect_one();
        if (confirmed == options.idle) puts("READY"), fflush(stdout);
        return;
    }
    size += length;
    if (options.parse || options.echo) append(bytes, length);
    if (!whole) return;
    messages++;
    if (options.parse) {
        cJSON *parsed = cJSON_ParseWithLength((char *)message + LWS_PRE, message_size);
        if (cJSON_GetObjectItem(parsed, "topicName") == NULL) failed = done = true;
        cJSON_Delete(parsed);
    }
    if (options.echo) {
        lws_callback_on_writable(wsi);
    } else {
        message_size = 0;
    }
}

static void writable(struct lws *wsi, struct session *session) {
    if (!session->subscribed) {
        unsigned char buffer[LWS_PRE + sizeof subscribe];
        memcpy(buffer + LWS_PRE, subscribe, sizeof subscribe - 1);
        session->subscribed = true;
        lws_write(wsi, buffer + LWS_PRE, sizeof subscribe - 1, LWS_WRITE_TEXT);
    } else if (options.echo && message_size > 0) {
        lws_write(wsi, message + LWS_PRE, message_size, LWS_WRITE_TEXT);
        message_size = 0;
    }
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length) {
    switch (reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED: lws_callback_on_writable(wsi); break;
    case LWS_CALLBACK_CLIENT_WRITEABLE: writable(wsi, user); break;
    case LWS_CALLBACK_CLIENT_RECEIVE: received(wsi, user, in, length); break;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        fprintf(stderr, "libwebsockets: %s\n", in != NULL ? (char *)in : "no connection");
        failed = done = true;
        break;
    case LWS_CALLBACK_CLIENT_CLOSED: done = true; break;
    default: break;
    }
    return 0;
}

static void stop(int number) {
    (void)number;
    _exit(0);
}

static void parse(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--parse") == 0) {
            options.parse = true;
        } else if (strcmp(argv[i], "--echo") == 0) {
            options.echo = true;
        } else if (strcmp(argv[i], "--ca") == 0 && i + 1 < argc) {
            options.ca = argv[++i];
        } else if (strcmp(argv[i], "--idle") == 0 && i + 1 < argc) {
            options.idle = strtoul(argv[++i], NULL, 10);
        } else if (sscanf(argv[i], "wss://%255[^:/]:%d%511s", options.host, &options.port, options.path) < 2) {
            fprintf(stderr, "libwebsockets: no URI: %s\n", argv[i]);
            exit(64);
        }
    }
}

int main(int argc, char **argv) {
    /* A larger receive buffer than the default: it is faster. */
    static const struct lws_protocols protocols[] = {
        {.name = "notifications", .callback = callback, .per_session_data_size = sizeof(struct session),
         .rx_buffer_size = 65536},
        {.name = NULL}};
    parse(argc, argv);
    lws_set_log_level(0, NULL);
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN, .protocols = protocols, .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
        .client_ssl_ca_filepath = options.ca, .pt_serv_buf_size = 65536};
    context = lws_create_context(&info);
    if (context == NULL) return 70;
    if (options.idle > 0) signal(SIGTERM, stop);
    for (size_t i = 0; i < (options.idle == 0 ? 1 : options.idle < 64 ? options.idle : 64); i++) connect_one();
    while (!done && lws_service(context, 0) >= 0) {
    }
    if (failed) return 69;
    printf("{\"messages\":%llu,\"bytes\":%llu}\n", messages, size);
    fflush(stdout);
    _exit(0);
}
