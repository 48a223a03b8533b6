/* The server that the benchmarks' clients are measured against: TLS 1.3, one cipher, WebSocket, notifications.

   usage: load-server --cert FILE --key FILE --mode MODE [options]

     --mode stream   to the first client that subscribes: --count notifications of --size bytes, then a close frame
     --mode echo     --count times: a notification, and the wait until it came back
     --mode single   --count notifications, one each --gap milliseconds, so that each wakes the client up
     --mode idle     holds every client that subscribes; prints {"ready":N} once --connections have
     --shape record  one TLS record for each notification (default); batch: records of 16 KiB, full of frames
     --paced         encrypt as the client takes it, instead of everything into memory before the first byte goes out
     --heartbeat S   a heartbeat to each connection every S seconds

   Prints {"port":N}, and a report as one line of JSON when the connection ended. In mode idle it obeys standard input:
   `stats` prints the counts so far; `busy CONNECTIONS RATE SECONDS` sends RATE notifications a second to each of the
   first CONNECTIONS, and then prints a line. The end of standard input ends it in every mode. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "load.h"
#include "messages.h"

static SSL_CTX *make_context(void) {
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL || SSL_CTX_use_certificate_chain_file(context, options.cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, options.key, SSL_FILETYPE_PEM) != 1)
        fail("the certificate");
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    if (SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1) fail("the cipher");
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    return context;
}

static int make_listener(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 4096) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        fail("the listener");
    printf("{\"port\":%d}\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

static void accept_all(int poller, int listener, SSL_CTX *context) {
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        int yes = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        struct connection *c = connection_new(context, fd);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll");
    }
    if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) fail("accept");
}

static void parse(int argc, char **argv) {
    static const char *const modes[] = {"stream", "echo", "single", "idle"};
    static const struct option names[] = {
        {"cert", 1, NULL, 'c'}, {"key", 1, NULL, 'k'},   {"mode", 1, NULL, 'm'},      {"shape", 1, NULL, 's'},
        {"size", 1, NULL, 'z'}, {"count", 1, NULL, 'n'}, {"gap", 1, NULL, 'g'},       {"connections", 1, NULL, 'C'},
        {"paced", 0, NULL, 'p'}, {"heartbeat", 1, NULL, 'h'}, {NULL, 0, NULL, 0}};
    bool known = false;
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (option) {
        case 'c': options.cert = optarg; break;
        case 'k': options.key = optarg; break;
        case 's': options.batch = strcmp(optarg, "batch") == 0; break;
        case 'z': options.size = strtoul(optarg, NULL, 10); break;
        case 'n': options.count = strtoul(optarg, NULL, 10); break;
        case 'C': options.connections = strtoul(optarg, NULL, 10); break;
        case 'g': options.gap = strtod(optarg, NULL) / 1e3; break;
        case 'h': options.heartbeat = strtod(optarg, NULL); break;
        case 'p': options.paced = true; break;
        case 'm':
            for (int i = 0; i < 4; i++)
                if (strcmp(optarg, modes[i]) == 0) options.mode = (enum mode)i, known = true;
            break;
        default: exit(64);
        }
    }
    known = known && options.cert != NULL && options.key != NULL;
    if (!known || options.count == 0 || options.size < MIN_MESSAGE_SIZE) {
        fputs("load-server: wrong usage; the head of load-server.c tells\n", stderr);
        exit(64);
    }
}

int main(int argc, char **argv) {
    parse(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    SSL_CTX *context = make_context();
    int poller = epoll_create1(EPOLL_CLOEXEC), listener = make_listener(), input = 0;
    if (poller < 0) fail("epoll");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &input};
    epoll_ctl(poller, EPOLL_CTL_ADD, 0, &event); /* refused for a file, which then ends nothing */
    event.data.ptr = &listener;
    if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) != 0) fail("epoll");
    load_start(poller);
    while (load_goes_on()) {
        struct epoll_event ready[256];
        int count = epoll_wait(poller, ready, 256, load_tick());
        for (int i = 0; i < count; i++) {
            if (ready[i].data.ptr == &input) {
                load_obey();
            } else if (ready[i].data.ptr == &listener) {
                accept_all(poller, listener, context);
            } else {
                load_event(ready[i].data.ptr, ready[i].events);
            }
        }
    }
    load_report();
    return 0;
}
