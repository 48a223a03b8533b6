#include "load.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "messages.h"

struct options options = {.size = 400, .count = 1};

static struct frame *frames;
static size_t frame_count;
static int watcher;

/* The confirmed connections, and those that are to be freed at the end of the turn. */
static struct connection **running, **doomed;
static size_t running_count, running_capacity, doomed_count, doomed_capacity, peak, lost;

/* The one connection of the modes other than idle. */
static struct connection *subject;
static size_t produced, returned;
static uint64_t first_byte_at, sent_at, *round_trips, heartbeats;
static bool close_sent;

/* A number of messages a second, spread evenly over connections. */
struct pacer {
    double owed;
    size_t cursor;
};
static struct pacer busy;
static size_t beat_cursor;
static size_t busy_connections;
static double busy_rate;
static uint64_t busy_until, busy_sent, last_turn;

_Noreturn void fail(const char *what) {
    fprintf(stderr, "load-server: %s: %s\n", what, errno != 0 ? strerror(errno) : "failed");
    ERR_print_errors_fp(stderr);
    exit(70);
}

static void push(struct connection ***list, size_t *count, size_t *capacity, struct connection *c) {
    if (*count == *capacity) {
        *capacity = *capacity * 2 + 64;
        *list = realloc(*list, *capacity * sizeof **list);
        if (*list == NULL) fail("memory");
    }
    (*list)[(*count)++] = c;
}

static void watch(struct connection *c) {
    if (c->state == GONE || c->wants_writable == c->watches_writable) return;
    c->watches_writable = c->wants_writable;
    struct epoll_event event = {.events = EPOLLIN | (c->wants_writable ? EPOLLOUT : 0u), .data.ptr = c};
    epoll_ctl(watcher, EPOLL_CTL_MOD, c->fd, &event);
}

static void flush(struct connection *c) {
    connection_flush(c);
    watch(c);
}

static void send_close(struct connection *c) {
    if (close_sent || c->state != RUNNING) return;
    close_sent = true;
    connection_send_close(c);
}

/* Encrypts the stream's next messages while less than `room` bytes wait to be sent. */
static void produce_records(struct connection *c, size_t room) {
    while (produced < options.count && c->out_end - c->out_start < room && c->state == RUNNING) {
        struct frame *frame = &frames[produced++ % frame_count];
        connection_encrypt(c, frame->bytes, frame->length);
    }
}

static void produce_batches(struct connection *c, size_t room) {
    static unsigned char batch[16384];
    static size_t filled;
    while (produced < options.count && c->out_end - c->out_start < room && c->state == RUNNING) {
        struct frame *frame = &frames[produced++ % frame_count];
        for (size_t at = 0; at < frame->length;) {
            size_t part = frame->length - at < sizeof batch - filled ? frame->length - at : sizeof batch - filled;
            memcpy(batch + filled, frame->bytes + at, part);
            filled += part;
            at += part;
            if (filled < sizeof batch) continue;
            connection_encrypt(c, batch, filled);
            filled = 0;
        }
    }
    if (produced == options.count && filled > 0) {
        connection_encrypt(c, batch, filled);
        filled = 0;
    }
}

/* Encrypts everything and sends what can be sent; paced, not more than the socket takes. */
static void produce(struct connection *c) {
    size_t room = options.paced ? 262144 : SIZE_MAX;
    do {
        if (options.batch) {
            produce_batches(c, room);
        } else {
            produce_records(c, room);
        }
        if (produced == options.count) send_close(c);
        if (first_byte_at == 0) first_byte_at = now_ns();
        flush(c);
    } while (c->state == RUNNING && !c->wants_writable);
}

static void send_next(struct connection *c) {
    struct frame *frame = &frames[produced++ % frame_count];
    sent_at = now_ns();
    if (first_byte_at == 0) first_byte_at = sent_at;
    connection_encrypt(c, frame->bytes, frame->length);
    flush(c);
}

static void confirmed(struct connection *c) {
    c->confirmed = true;
    c->beat_at = now_ns();
    c->index = running_count;
    push(&running, &running_count, &running_capacity, c);
    if (running_count > peak) peak = running_count;
    if (options.mode == IDLE) {
        if (running_count == options.connections) printf("{\"ready\":%zu}\n", running_count), fflush(stdout);
        return;
    }
    if (subject != NULL) return;
    subject = c;
    if (options.mode == STREAM) {
        size_t wire = options.count * (options.size + 14);
        size_t records = options.batch ? wire / 16384 + 1 : options.count * (options.size / 16384 + 2);
        if (!options.paced) connection_reserve(c, wire + records * 22 + 4096);
        produce(c);
    } else if (options.mode == ECHO_BACK) {
        send_next(c);
    }
}

static void text(struct connection *c, const unsigned char *bytes, size_t length) {
    (void)bytes;
    if (options.mode != ECHO_BACK || c != subject) return;
    if (length != options.size) fail("an echo of another length");
    round_trips[returned++] = now_ns() - sent_at;
    if (produced < options.count) {
        send_next(c);
    } else {
        send_close(c);
        flush(c);
    }
}

static void gone(struct connection *c) {
    push(&doomed, &doomed_count, &doomed_capacity, c);
    if (!c->confirmed) return;
    lost++;
    running[c->index] = running[--running_count];
    running[c->index]->index = c->index;
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

void load_report(void) {
    printf("{\"messages\":%zu,\"bytes\":%zu,\"confirmation\":%zu,\"clean\":%s,\"pings\":%llu", produced,
           produced * options.size, confirmation_size, subject->close_received && close_sent ? "true" : "false",
           (unsigned long long)pings_received);
    printf(",\"first_byte_at\":%llu,\"closed_at\":%llu", (unsigned long long)first_byte_at,
           (unsigned long long)subject->closed_at);
    if (returned > 0) {
        qsort(round_trips, returned, sizeof *round_trips, compare);
        printf(",\"rounds\":%zu,\"p50_us\":%.1f,\"p99_us\":%.1f", returned, (double)round_trips[returned / 2] / 1e3,
               (double)round_trips[returned * 99 / 100] / 1e3);
    }
    puts("}");
    fflush(stdout);
}

static void stats(void) {
    printf("{\"connections\":%zu,\"peak\":%zu,\"lost\":%zu,\"pings\":%llu,\"heartbeats\":%llu,\"busy_sent\":%llu}\n",
           running_count, peak, lost, (unsigned long long)pings_received, (unsigned long long)heartbeats,
           (unsigned long long)busy_sent);
    fflush(stdout);
}

/* Sends what is owed since the last turn, round robin over the first `count` connections. */
static void pace(double owed, size_t count) {
    for (busy.owed += owed; busy.owed >= 1 && count > 0; busy.owed -= 1) {
        busy.cursor = (busy.cursor + 1) % count;
        struct connection *c = running[busy.cursor];
        if (c->state != RUNNING || c->out_end - c->out_start > (1u << 20)) continue;
        struct frame *frame = &frames[busy_sent++ % frame_count];
        connection_encrypt(c, frame->bytes, frame->length);
        flush(c);
        if (count > running_count) count = running_count;
    }
}

/* Sends a heartbeat to each connection that is due for one. They are in the order of their turns, that in which they
   were confirmed. */
static void send_heartbeats(uint64_t now) {
    static const char text[] =
        "{\"topicName\":\"channel.metadata\",\"eventBody\":{\"message\":\"WebSocket Heartbeat\"}}";
    uint64_t interval = (uint64_t)(options.heartbeat * 1e9);
    while (running_count > 0) {
        beat_cursor %= running_count;
        struct connection *c = running[beat_cursor];
        if (now - c->beat_at < interval) return;
        c->beat_at += interval;
        beat_cursor++;
        if (c->state != RUNNING) continue;
        heartbeats++;
        connection_send_text(c, text);
        flush(c);
    }
}

int load_tick(void) {
    uint64_t now = now_ns();
    double elapsed = (double)(now - last_turn) / 1e9;
    last_turn = now;
    int wait = -1;
    if (options.mode == SINGLE && subject != NULL && subject->state == RUNNING) {
        if (produced == options.count) {
            send_close(subject);
            flush(subject);
        } else if (first_byte_at == 0 || now - sent_at >= (uint64_t)(options.gap * 1e9)) {
            send_next(subject);
        }
        wait = 1;
    }
    if (options.heartbeat > 0) {
        send_heartbeats(now);
        wait = 10;
    }
    if (busy_until > 0) {
        size_t count = busy_connections < running_count ? busy_connections : running_count;
        pace(elapsed * busy_rate * (double)count, count);
        wait = 1;
        if (now >= busy_until) {
            busy_until = 0;
            printf("{\"busy_sent\":%llu}\n", (unsigned long long)busy_sent);
            fflush(stdout);
        }
    }
    return wait;
}

void load_obey(void) {
    static char input[512];
    static size_t filled;
    ssize_t count = read(0, input + filled, sizeof input - 1 - filled);
    if (count <= 0) {
        if (options.mode == IDLE) stats();
        exit(0);
    }
    filled += (size_t)count;
    input[filled] = 0;
    for (char *end; (end = strchr(input, '\n')) != NULL;) {
        double seconds;
        *end = 0;
        if (strcmp(input, "stats") == 0) {
            stats();
        } else if (sscanf(input, "busy %zu %lf %lf", &busy_connections, &busy_rate, &seconds) == 3) {
            busy.owed = 0;
            busy_until = now_ns() + (uint64_t)(seconds * 1e9);
        }
        filled -= (size_t)(end + 1 - input);
        memmove(input, end + 1, filled + 1);
    }
}

void load_event(struct connection *c, uint32_t what) {
    if (c->state == GONE) return;
    if (what & EPOLLOUT) connection_flush(c);
    if (c == subject && options.paced && options.mode == STREAM && c->state == RUNNING) produce(c);
    if (c->state != GONE && (what & ~(uint32_t)EPOLLOUT)) connection_readable(c);
    watch(c);
}

bool load_goes_on(void) {
    while (doomed_count > 0) {
        struct connection *c = doomed[--doomed_count];
        if (c != subject) connection_free(c);
    }
    return subject == NULL || subject->state != GONE;
}

void load_start(int poller) {
    watcher = poller;
    frame_count = options.size >= 1u << 20 ? 4 : 64;
    frames = make_messages(options.size, frame_count);
    round_trips = calloc(options.count, sizeof *round_trips);
    if (round_trips == NULL) fail("memory");
    events = (struct events){.confirmed = confirmed, .text = text, .gone = gone};
    last_turn = now_ns();
}
