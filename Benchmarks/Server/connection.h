/* One WebSocket connection of the load server: TLS, upgrade, subscription, frames. Knows no mode. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum state {
    HANDSHAKING, /* TLS */
    UPGRADING,   /* waiting for the head of the HTTP request */
    SUBSCRIBING, /* waiting for the first text message */
    RUNNING,     /* confirmed */
    CLOSING,     /* our close frame is on its way */
    GONE
};

struct connection {
    int fd;
    SSL *ssl;
    enum state state;
    bool wants_writable, watches_writable; /* something waits to be sent; epoll reports when it can be */
    bool confirmed;
    bool close_received;
    size_t index;             /* among the confirmed ones */
    uint64_t beat_at;         /* when its latest heartbeat was due */
    uint64_t closed_at;       /* when the peer's close frame, or the end of the stream, was seen */
    unsigned char *in;        /* plaintext of an incomplete frame */
    size_t in_size, in_capacity;
    unsigned char *out;       /* ciphertext to be sent, from out_start to out_end */
    size_t out_start, out_end, out_capacity;
};

/* What the mode does with a connection's messages. */
struct events {
    void (*confirmed)(struct connection *connection);
    void (*text)(struct connection *connection, const unsigned char *bytes, size_t length);
    void (*gone)(struct connection *connection);
};

extern struct events events;
extern size_t confirmation_size; /* of the latest one */
extern uint64_t pings_received;  /* {"message":"ping"} and ping frames */

uint64_t now_ns(void);
struct connection *connection_new(SSL_CTX *context, int fd);
void connection_free(struct connection *connection);
/* Reads whatever is there, and acts on it. */
void connection_readable(struct connection *connection);
/* Encrypts `length` bytes as records of up to 16 KiB. Nothing is sent before connection_flush. */
void connection_encrypt(struct connection *connection, const void *bytes, size_t length);
void connection_reserve(struct connection *connection, size_t bytes);
void connection_send_text(struct connection *connection, const char *text);
void connection_send_close(struct connection *connection);
/* Sends what can be sent; `wants_writable` says whether something is left. */
void connection_flush(struct connection *connection);

#endif
