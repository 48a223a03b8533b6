/* The floor: what a notification client costs at least, in C on the same libuv and OpenSSL.

   usage: floor URI --ca FILE [--echo] [--idle K]

   TLS over one 64 KiB ciphertext buffer and one plaintext buffer for the whole loop, a BIO that reads the ciphertext
   where libuv put it, and a walk over the frames' headers: no payload is looked at, and a frame that straddles two
   reads is counted without being put together. Fragmented messages are counted by their last frame. It verifies the
   certificate and the host name, and checks the answer to its upgrade.

   Compiled with FLOOR_SIMDJSON it also puts together what straddles, and has simdjson validate every message. */
#include <arpa/inet.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

#ifdef FLOOR_SIMDJSON
/* Whether the `length` bytes are JSON with a topic. 64 bytes behind them are readable. */
int validate(const unsigned char *bytes, size_t length);
#define WHOLE true
#else
#define WHOLE options.echo
#endif

#define PADDING 64

enum state { HANDSHAKE, UPGRADE, SUBSCRIBED, CONFIRMED };

struct client {
    uv_tcp_t tcp;
    SSL *ssl;
    enum state state;
    bool closing;
    /* The frame that is being walked: how much of its header is there, and how much of its payload is not. */
    unsigned char header[14];
    unsigned header_size;
    bool in_payload;
    uint64_t left;
    unsigned char *carry; /* the payload so far, where it is wanted and straddles */
    size_t carry_size, carry_capacity;
    char key[32];
};

static struct {
    char host[256], path[512];
    int port;
    const char *ca;
    bool echo;
    size_t idle;
} options = {.port = 443, .path = "/"};

static SSL_CTX *context;
static struct sockaddr_storage address;
static uint64_t messages, payload_bytes;
static size_t started, confirmed;

/* One of each for the loop. */
static char ciphertext[65536];
static unsigned char plaintext[65536 + PADDING];
static const char *unread;
static size_t unread_size;
static unsigned char *out; /* ciphertext of this pass */
static size_t out_size, out_capacity;

static void fail(const char *what) {
    fprintf(stderr, "floor: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(69);
}

static void *grow(void *memory, size_t *capacity, size_t needed) {
    if (needed <= *capacity) return memory;
    *capacity = needed + needed / 2;
    memory = realloc(memory, *capacity);
    if (memory == NULL) fail("out of memory");
    return memory;
}

/* -- The BIO: reads what libuv has read, writes to `out`. ---------------------------------------------------------- */

static int bio_read(BIO *bio, char *to, int room) {
    size_t count = (size_t)room < unread_size ? (size_t)room : unread_size;
    if (count == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(to, unread, count);
    unread += count;
    unread_size -= count;
    return (int)count;
}

static int bio_write(BIO *bio, const char *from, int length) {
    (void)bio;
    out = grow(out, &out_capacity, out_size + (size_t)length);
    memcpy(out + out_size, from, (size_t)length);
    out_size += (size_t)length;
    return length;
}

static long bio_control(BIO *bio, int command, long number, void *pointer) {
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static BIO *make_bio(void) {
    static BIO_METHOD *method;
    if (method == NULL) {
        method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "uv");
        BIO_meth_set_read(method, bio_read);
        BIO_meth_set_write(method, bio_write);
        BIO_meth_set_ctrl(method, bio_control);
    }
    BIO *bio = BIO_new(method);
    BIO_set_init(bio, 1);
    return bio;
}

/* -- Sending ------------------------------------------------------------------------------------------------------- */

static void written(uv_write_t *request, int status) {
    (void)status;
    free(request);
}

/* Sends the ciphertext of this pass with one system call, and keeps what the socket does not take. */
static void flush(struct client *c) {
    if (out_size == 0) return;
    uv_buf_t buffer = uv_buf_init((char *)out, (unsigned)out_size);
    int sent = uv_try_write((uv_stream_t *)&c->tcp, &buffer, 1);
    size_t done = sent < 0 ? 0 : (size_t)sent;
    if (done < out_size && (sent >= 0 || sent == UV_EAGAIN)) {
        uv_write_t *request = malloc(sizeof *request + out_size - done);
        if (request == NULL) fail("out of memory");
        memcpy(request + 1, out + done, out_size - done);
        buffer = uv_buf_init((char *)(request + 1), (unsigned)(out_size - done));
        if (uv_write(request, (uv_stream_t *)&c->tcp, &buffer, 1, written) != 0) free(request);
    }
    out_size = 0;
}

static void encrypt(struct client *c, const void *bytes, size_t length) {
    if (SSL_write(c->ssl, bytes, (int)length) <= 0) fail("SSL_write");
}

static void send_frame(struct client *c, int opcode, const unsigned char *payload, size_t length) {
    static unsigned char masks[4096], *frame;
    static size_t mask_at = sizeof masks, capacity;
    if (mask_at == sizeof masks) {
        RAND_bytes(masks, sizeof masks);
        mask_at = 0;
    }
    frame = grow(frame, &capacity, length + 14);
    size_t header = length < 126 ? 2 : length < 65536 ? 4 : 10;
    frame[0] = (unsigned char)(0x80 | opcode);
    frame[1] = (unsigned char)(0x80 | (header == 2 ? length : header == 4 ? 126 : 127));
    for (size_t i = 2; i < header; i++) frame[i] = (unsigned char)((uint64_t)length >> (8 * (header - 1 - i)));
    const unsigned char *mask = memcpy(frame + header, masks + mask_at, 4);
    mask_at += 4;
    unsigned char *to = frame + header + 4;
    for (size_t i = 0; i < length; i++) to[i] = payload[i] ^ mask[i & 3];
    encrypt(c, frame, header + 4 + length);
}

/* -- Receiving ----------------------------------------------------------------------------------------------------- */

static void start_client(void);

static void closed(uv_handle_t *handle) { (void)handle; }

static void finish(struct client *c) {
    flush(c);
    c->closing = true;
    uv_close((uv_handle_t *)&c->tcp, closed);
}

static void confirm(struct client *c) {
    c->state = CONFIRMED;
    confirmed++;
    if (options.idle == 0) return;
    SSL_free_buffers(c->ssl); /* it will be idle for a while */
    if (started < options.idle) start_client();
    if (confirmed == options.idle) puts("READY"), fflush(stdout);
}

/* A frame's end. `payload` is NULL where it was not wanted. */
static void frame_ended(struct client *c, const unsigned char *payload, size_t length) {
    int opcode = c->header[0] & 0x0f;
    if (opcode < 8) {
        if ((c->header[0] & 0x80) == 0) return;
        if (c->state == SUBSCRIBED) {
            confirm(c);
            return;
        }
        messages++;
        if (!WHOLE) return;
#ifdef FLOOR_SIMDJSON
        if (!validate(payload, length)) fail("a message is no JSON");
#endif
        if (options.echo) send_frame(c, opcode, payload, length);
    } else if (opcode == 9) {
        send_frame(c, 10, payload, length);
    } else if (opcode == 8) {
        send_frame(c, 8, payload, length < 2 ? 0 : 2);
        SSL_shutdown(c->ssl);
        finish(c);
    }
}

/* Walks the frames in `bytes`, behind which PADDING bytes are readable. */
static void walk(struct client *c, const unsigned char *bytes, size_t size) {
    const unsigned char *end = bytes + size;
    while (bytes < end && !c->closing) {
        if (!c->in_payload) {
            /* Mostly the header is there in whole; byte by byte otherwise. */
            unsigned needed = 2;
            if (c->header_size >= 2) {
                needed = 2 + ((c->header[1] & 0x7f) == 126 ? 2 : (c->header[1] & 0x7f) == 127 ? 8 : 0);
            } else if (c->header_size == 0 && end - bytes >= 10) {
                unsigned first = bytes[1] & 0x7f;
                needed = 2 + (first == 126 ? 2 : first == 127 ? 8 : 0);
                memcpy(c->header, bytes, 10);
                bytes += needed;
                c->header_size = needed;
            }
            while (c->header_size < needed && bytes < end) c->header[c->header_size++] = *bytes++;
            if (c->header_size < needed) return;
            unsigned first = c->header[1] & 0x7f;
            if (first >= 126 && needed == 2) continue;
            uint64_t length = first;
            if (first == 126) {
                length = (uint64_t)c->header[2] << 8 | c->header[3];
            } else if (first == 127) {
                length = 0;
                for (int i = 2; i < 10; i++) length = length << 8 | c->header[i];
            }
            if ((c->header[1] & 0x80) != 0 || (c->header[0] & 0x70) != 0) fail("a frame that breaks the protocol");
            c->left = length;
            c->in_payload = true;
            c->carry_size = 0;
            c->header_size = 0;
            if ((c->header[0] & 0x0f) < 8) payload_bytes += c->state == CONFIRMED ? length : 0;
        }
        size_t part = c->left < (uint64_t)(end - bytes) ? (size_t)c->left : (size_t)(end - bytes);
        const unsigned char *payload = bytes;
        bool whole = part == c->left && c->carry_size == 0;
        size_t payload_size = part;
        if (!whole && (WHOLE || (c->header[0] & 0x08) != 0)) {
            size_t needed = c->carry_size + (size_t)c->left + PADDING;
            c->carry = grow(c->carry, &c->carry_capacity, needed);
            memcpy(c->carry + c->carry_size, bytes, part);
            c->carry_size += part;
            payload = c->carry;
            payload_size = c->carry_size;
        }
        bytes += part;
        c->left -= part;
        if (c->left > 0) return;
        c->in_payload = false;
        frame_ended(c, payload, payload_size);
    }
}

static void send_upgrade(struct client *c) {
    unsigned char random[16];
    char request[1024];
    RAND_bytes(random, sizeof random);
    EVP_EncodeBlock((unsigned char *)c->key, random, sizeof random);
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n",
                          options.path, options.host, options.port, c->key);
    encrypt(c, request, (size_t)length);
    c->state = UPGRADE;
}

/* The answer to the upgrade, taken to come in one read; then the one subscription. */
static size_t upgraded(struct client *c, char *bytes, size_t size) {
    static const char subscribe[] =
        "{\"message\":\"subscribe\",\"topics\":[\"v2.users.e40f28ea-fa86-493f-a5b8-d559c8533c96.presence\"],"
        "\"correlationId\":\"uno5VlaUHt5t2Mul\"}";
    char joined[80], accept[40];
    unsigned char digest[SHA_DIGEST_LENGTH];
    bytes[size] = 0;
    char *head_end = strstr(bytes, "\r\n\r\n");
    int length = snprintf(joined, sizeof joined, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", c->key);
    SHA1((unsigned char *)joined, (size_t)length, digest);
    EVP_EncodeBlock((unsigned char *)accept, digest, sizeof digest);
    if (head_end == NULL || strncmp(bytes, "HTTP/1.1 101 ", 13) != 0 || strstr(bytes, accept) == NULL)
        fail("the upgrade was refused");
    send_frame(c, 1, (const unsigned char *)subscribe, sizeof subscribe - 1);
    c->state = SUBSCRIBED;
    return (size_t)(head_end + 4 - bytes);
}

static void alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    (void)handle, (void)suggested;
    *buffer = uv_buf_init(ciphertext, sizeof ciphertext);
}

static void readable(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
    struct client *c = (struct client *)stream;
    if (count == 0) return;
    if (count < 0) fail("the connection ended without a close frame");
    unread = buffer->base;
    unread_size = (size_t)count;
    ERR_clear_error();
    while (!c->closing) {
        int size = SSL_read(c->ssl, plaintext, sizeof plaintext - PADDING);
        if (size <= 0) {
            if (SSL_get_error(c->ssl, size) != SSL_ERROR_WANT_READ) fail("TLS");
            break;
        }
        size_t at = c->state == UPGRADE ? upgraded(c, (char *)plaintext, (size_t)size) : 0;
        walk(c, plaintext + at, (size_t)size - at);
    }
    if (!c->closing && c->state == HANDSHAKE && SSL_is_init_finished(c->ssl)) send_upgrade(c);
    if (options.idle > 0 && c->state == CONFIRMED && !c->closing) SSL_free_buffers(c->ssl);
    if (!c->closing) flush(c);
}

static void connected(uv_connect_t *request, int status) {
    struct client *c = (struct client *)request->handle;
    free(request);
    if (status != 0) fail(uv_strerror(status));
    uv_tcp_nodelay(&c->tcp, 1);
    c->ssl = SSL_new(context);
    SSL_set_bio(c->ssl, make_bio(), make_bio());
    struct in_addr ip;
    if (inet_pton(AF_INET, options.host, &ip) == 1) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(c->ssl), options.host);
    } else {
        SSL_set1_host(c->ssl, options.host);
        SSL_set_tlsext_host_name(c->ssl, options.host);
    }
    SSL_set_connect_state(c->ssl);
    SSL_do_handshake(c->ssl);
    flush(c);
    uv_read_start((uv_stream_t *)&c->tcp, alloc, readable);
}

static void start_client(void) {
    struct client *c = calloc(1, sizeof *c);
    uv_connect_t *request = malloc(sizeof *request);
    if (c == NULL || request == NULL) fail("out of memory");
    started++;
    uv_tcp_init(uv_default_loop(), &c->tcp);
    if (uv_tcp_connect(request, &c->tcp, (struct sockaddr *)&address, connected) != 0) fail("connect");
}

/* -- The program --------------------------------------------------------------------------------------------------- */

static void parse(int argc, char **argv) {
    bool usage = argc < 2 || sscanf(argv[1], "wss://%255[^:/]:%d%511s", options.host, &options.port, options.path) < 1;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--ca") == 0 && i + 1 < argc) {
            options.ca = argv[++i];
        } else if (strcmp(argv[i], "--idle") == 0 && i + 1 < argc) {
            options.idle = strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--echo") == 0) {
            options.echo = true;
        } else {
            usage = true;
        }
    }
    if (usage || options.ca == NULL) {
        fputs("usage: floor wss://HOST:PORT/PATH --ca FILE [--echo] [--idle K]\n", stderr);
        exit(64);
    }
}

static void stop(uv_signal_t *handle, int number) {
    (void)handle, (void)number;
    exit(0);
}

int main(int argc, char **argv) {
    parse(argc, argv);
    context = SSL_CTX_new(TLS_client_method());
    if (context == NULL || SSL_CTX_load_verify_locations(context, options.ca, NULL) != 1) fail(options.ca);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    if (uv_ip4_addr(options.host, options.port, (struct sockaddr_in *)&address) != 0) {
        struct addrinfo *found, hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
        if (getaddrinfo(options.host, NULL, &hints, &found) != 0) fail("the host is not known");
        memcpy(&address, found->ai_addr, found->ai_addrlen);
        ((struct sockaddr_in *)&address)->sin_port = htons((uint16_t)options.port);
        freeaddrinfo(found);
    }
    if (options.idle > 0) {
        static uv_signal_t terminated;
        uv_signal_init(uv_default_loop(), &terminated);
        uv_signal_start(&terminated, stop, SIGTERM);
        /* 64 handshakes at a time; each confirmation starts another. */
        for (size_t i = 0; i < 64 && i < options.idle; i++) start_client();
    } else {
        start_client();
    }
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    printf("{\"messages\":%llu,\"bytes\":%llu}\n", (unsigned long long)messages, (unsigned long long)payload_bytes);
    return 0;
}
