#include "connection.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "messages.h"

struct events events;
size_t confirmation_size;
uint64_t pings_received;

uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void *must(void *memory) {
    if (memory == NULL) {
        fputs("load-server: out of memory\n", stderr);
        exit(71);
    }
    return memory;
}

void connection_reserve(struct connection *c, size_t bytes) {
    if (c->out_capacity - c->out_end >= bytes) return;
    if (c->out_start >= c->out_end - c->out_start) { /* at least half of it was sent: moving the rest is cheap */
        memmove(c->out, c->out + c->out_start, c->out_end - c->out_start);
        c->out_end -= c->out_start;
        c->out_start = 0;
    }
    if (c->out_capacity - c->out_end >= bytes) return;
    size_t capacity = c->out_capacity * 2;
    if (capacity < c->out_end + bytes) capacity = c->out_end + bytes;
    c->out = must(realloc(c->out, capacity));
    c->out_capacity = capacity;
}

/* The BIO that OpenSSL writes to: it appends to the connection's `out`. */
static int out_write(BIO *bio, const char *bytes, int length) {
    struct connection *c = BIO_get_data(bio);
    connection_reserve(c, (size_t)length);
    memcpy(c->out + c->out_end, bytes, (size_t)length);
    c->out_end += (size_t)length;
    return length;
}

static long out_control(BIO *bio, int command, long number, void *pointer) {
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static BIO *make_out_bio(struct connection *c) {
    static BIO_METHOD *method;
    if (method == NULL) {
        method = must(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "out"));
        BIO_meth_set_write(method, out_write);
        BIO_meth_set_ctrl(method, out_control);
    }
    BIO *bio = must(BIO_new(method));
    BIO_set_data(bio, c);
    BIO_set_init(bio, 1);
    return bio;
}

struct connection *connection_new(SSL_CTX *context, int fd) {
    struct connection *c = must(calloc(1, sizeof *c));
    c->fd = fd;
    c->ssl = must(SSL_new(context));
    SSL_set_bio(c->ssl, must(BIO_new_socket(fd, BIO_NOCLOSE)), make_out_bio(c));
    SSL_set_accept_state(c->ssl);
    return c;
}

void connection_free(struct connection *c) {
    SSL_free(c->ssl);
    close(c->fd);
    free(c->in);
    free(c->out);
    free(c);
}

static void end(struct connection *c) {
    if (c->state == GONE) return;
    if (c->closed_at == 0) c->closed_at = now_ns();
    c->state = GONE;
    c->wants_writable = false;
    events.gone(c);
}

void connection_encrypt(struct connection *c, const void *bytes, size_t length) {
    ERR_clear_error();
    if (SSL_write(c->ssl, bytes, (int)length) != (int)length) end(c);
}

static void send_frame(struct connection *c, int opcode, const void *bytes, size_t length) {
    unsigned char frame[1024];
    if (length > sizeof frame - 10) length = sizeof frame - 10;
    size_t header = frame_header(frame, opcode, length);
    memcpy(frame + header, bytes, length);
    connection_encrypt(c, frame, header + length);
}

void connection_send_text(struct connection *c, const char *text) { send_frame(c, 1, text, strlen(text)); }

void connection_send_close(struct connection *c) {
    send_frame(c, 8, "\x03\xe8", 2); /* 1000 */
    if (c->state != GONE) c->state = CLOSING;
}

void connection_flush(struct connection *c) {
    while (c->out_start < c->out_end) {
        ssize_t sent = send(c->fd, c->out + c->out_start, c->out_end - c->out_start, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EINTR) continue;
            if (errno != EAGAIN && errno != EWOULDBLOCK) end(c);
            break;
        }
        c->out_start += (size_t)sent;
    }
    c->wants_writable = c->state != GONE && c->out_start < c->out_end;
}

/* Copies the string that follows `name` in a subscribe message, without the quotation marks. */
static void field(const char *text, const char *name, char *out, size_t room) {
    out[0] = 0;
    const char *start = strstr(text, name);
    if (start == NULL) return;
    start += strlen(name);
    start += strspn(start, " :");
    if (*start++ != '"') return;
    size_t length = strcspn(start, "\"");
    snprintf(out, room, "%.*s", (int)length, start);
}

static void confirm(struct connection *c, const unsigned char *bytes, size_t length) {
    char text[2048], id[256], reply[1000], topics[512] = "[]";
    snprintf(text, sizeof text, "%.*s", (int)length, (const char *)bytes);
    field(text, "\"correlationId\"", id, sizeof id);
    const char *list = strchr(text, '[');
    size_t list_size = list == NULL ? 0 : strcspn(list, "]");
    if (list_size > 0 && list_size + 2 < sizeof topics)
        snprintf(topics, sizeof topics, "%.*s]", (int)list_size, list);
    snprintf(reply, sizeof reply,
             "{\"correlationId\":\"%s\",\"topics\":%s,\"result\":\"200\",\"status\":\"subscribed\"}", id, topics);
    confirmation_size = strlen(reply);
    connection_send_text(c, reply);
    connection_flush(c);
    if (c->state == GONE) return;
    c->state = RUNNING;
    events.confirmed(c);
}

static void text_received(struct connection *c, const unsigned char *bytes, size_t length) {
    static const char ping[] = "\"ping\"";
    if (c->state == SUBSCRIBING) {
        confirm(c, bytes, length);
    } else if (length < 100 && memmem(bytes, length, ping, sizeof ping - 1) != NULL) {
        pings_received++;
        connection_send_text(c, "{\"topicName\":\"channel.metadata\",\"eventBody\":{\"message\":\"pong\"}}");
    } else if (c->state == RUNNING) {
        events.text(c, bytes, length);
    }
}

static void frame_received(struct connection *c, int opcode, unsigned char *bytes, size_t length) {
    switch (opcode) {
    case 1: text_received(c, bytes, length); break;
    case 8:
        c->close_received = true;
        c->closed_at = now_ns();
        if (c->state != CLOSING) connection_send_close(c);
        SSL_shutdown(c->ssl);
        connection_flush(c);
        end(c);
        break;
    case 9:
        pings_received++;
        send_frame(c, 10, bytes, length);
        break;
    default: break;
    }
}

/* Takes one frame from the head of `in`, and returns how many bytes it was; 0 if it is not whole. */
static size_t take_frame(struct connection *c, unsigned char *in, size_t size) {
    if (size < 6) return 0;
    uint64_t length = in[1] & 0x7f;
    size_t header = 2, extended = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (extended != 0) {
        if (size < 2 + extended) return 0;
        length = 0;
        for (size_t i = 0; i < extended; i++) length = length << 8 | in[2 + i];
        header += extended;
    }
    if ((in[1] & 0x80) == 0 || (in[0] & 0x70) != 0 || length > (64u << 20)) {
        end(c); /* not masked, or nothing that was agreed on */
        return 0;
    }
    if (size < header + 4 || size - header - 4 < length) return 0;
    unsigned char *mask = in + header, *payload = mask + 4;
    for (size_t i = 0; i < length; i++) payload[i] ^= mask[i & 3];
    frame_received(c, in[0] & 0x0f, payload, (size_t)length);
    return header + 4 + (size_t)length;
}

/* Answers the upgrade once its head is whole, and returns how many bytes it was. */
static size_t take_upgrade(struct connection *c) {
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", name[] = "\nsec-websocket-key:";
    unsigned char *end_of_head = memmem(c->in, c->in_size, "\r\n\r\n", 4);
    if (end_of_head == NULL) return 0;
    *end_of_head = 0;
    const char *key = strcasestr((const char *)c->in, name);
    if (key == NULL) {
        end(c);
        return 0;
    }
    key += sizeof name - 1;
    key += strspn(key, " ");
    char joined[128], answer[256];
    unsigned char digest[SHA_DIGEST_LENGTH], accept[40];
    int length = snprintf(joined, sizeof joined, "%.*s%s", (int)strcspn(key, " \r"), key, guid);
    SHA1((unsigned char *)joined, (size_t)length, digest);
    EVP_EncodeBlock(accept, digest, sizeof digest);
    length = snprintf(answer, sizeof answer,
                      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Accept: %s\r\n\r\n",
                      (char *)accept);
    connection_encrypt(c, answer, (size_t)length);
    c->state = SUBSCRIBING;
    return (size_t)(end_of_head - c->in) + 4;
}

static void consume(struct connection *c) {
    size_t at = 0;
    if (c->state == UPGRADING) at = take_upgrade(c);
    while (c->state >= SUBSCRIBING && c->state != GONE) {
        size_t taken = take_frame(c, c->in + at, c->in_size - at);
        if (taken == 0) break;
        at += taken;
    }
    memmove(c->in, c->in + at, c->in_size - at);
    c->in_size -= at;
}

void connection_readable(struct connection *c) {
    static unsigned char buffer[65536];
    while (c->state != GONE) {
        ERR_clear_error();
        int count = SSL_read(c->ssl, buffer, sizeof buffer);
        if (count <= 0) {
            int error = SSL_get_error(c->ssl, count);
            if (error != SSL_ERROR_WANT_READ) {
                connection_flush(c); /* an alert, perhaps */
                end(c);
            }
            break;
        }
        if (c->state == HANDSHAKING) c->state = UPGRADING;
        if (c->in_capacity < c->in_size + (size_t)count + 1) {
            c->in_capacity = c->in_size + (size_t)count + 1;
            c->in = must(realloc(c->in, c->in_capacity));
        }
        memcpy(c->in + c->in_size, buffer, (size_t)count);
        c->in_size += (size_t)count;
        consume(c);
    }
    if (c->state == GONE) return;
    if (c->in_size == 0) {
        free(c->in);
        c->in = NULL;
        c->in_capacity = 0;
    }
    connection_flush(c);
}
