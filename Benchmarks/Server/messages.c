/* Notifications of a queue's observations: ASCII JSON, a topic with a UUID, a list of metrics, a correlation id. */
#include "messages.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t random_state;

static uint32_t next_random(void) {
    /* xorshift64*: the messages must only be distinct, and the same in each run. */
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)((random_state * 0x2545F4914F6CDD1DULL) >> 32);
}

static void make_uuid(char out[37]) {
    uint32_t a = next_random(), b = next_random(), c = next_random(), d = next_random();
    snprintf(out, 37, "%08x-%04x-4%03x-%04x-%04x%08x", a, b >> 16, b & 0xfff, 0x8000 | (c & 0x3fff), c >> 16, d);
}

/* One metric, as long as it turns out. */
static int make_metric(char *out, size_t room) {
    static const char *const names[] = {"oWaiting", "oInteracting", "oOffQueueUsers", "nOffered", "oActiveUsers"};
    static const char *const qualifiers[] = {"IDLE", "INTERACTING", "OFF_QUEUE", "COMMUNICATING"};
    unsigned count = next_random() % 500, kind = next_random() % 4;
    const char *name = names[next_random() % 5], *qualifier = qualifiers[next_random() % 4];
    if (kind == 0)
        return snprintf(out, room, "{\"metric\":\"%s\",\"stats\":{\"count\":%u.0}},", name, count);
    if (kind == 1)
        return snprintf(out, room, "{\"metric\":\"oOnQueueUsers\",\"qualifier\":\"%s\",\"stats\":{\"count\":%u.0}},",
                        qualifier, count);
    if (kind == 2)
        return snprintf(out, room,
                        "{\"metric\":\"tAnswered\",\"stats\":{\"count\":%u.0,\"sum\":%u.0,\"min\":%u.0,\"max\":%u.0}},",
                        count, next_random() % 1000000, next_random() % 1000, 1000 + next_random() % 60000);
    return snprintf(out, room,
                    "{\"metric\":\"oServiceLevel\",\"stats\":{\"ratio\":0.%02u,\"numerator\":%u.0,\"target\":0.8}},",
                    next_random() % 100, count);
}

static void make_payload(char *out, size_t size) {
    char queue[37], correlation[37], head[400], tail[100], metric[200];
    make_uuid(queue);
    make_uuid(correlation);
    int head_size = snprintf(
        head, sizeof head,
        "{\"topicName\":\"v2.analytics.queues.%s.observations\",\"version\":\"2\",\"eventBody\":{\"group\":{"
        "\"queueId\":\"%s\",\"mediaType\":\"voice\"},\"data\":[{\"interval\":\"2024-05-14T09:00:00.000Z/"
        "2024-05-14T09:30:00.000Z\",\"metrics\":[",
        queue, queue);
    int tail_size = snprintf(tail, sizeof tail, "]}]},\"metadata\":{\"CorrelationId\":\"%s\"}}", correlation);
    static const char filler_head[] = "{\"metric\":\"o", filler_tail[] = "\",\"stats\":{\"count\":3.0}}";
    const size_t filler = sizeof filler_head - 1 + sizeof filler_tail - 1;

    size_t at = (size_t)head_size, end = size - (size_t)tail_size;
    memcpy(out, head, at);
    for (;;) {
        size_t length = (size_t)make_metric(metric, sizeof metric);
        if (at + length + filler > end) break;
        memcpy(out + at, metric, length);
        at += length;
    }
    /* The last metric has as long a name as is needed for the exact size. */
    memcpy(out + at, filler_head, sizeof filler_head - 1);
    at += sizeof filler_head - 1;
    size_t name_end = end - (sizeof filler_tail - 1);
    while (at < name_end) out[at++] = (char)('A' + next_random() % 26);
    memcpy(out + at, filler_tail, sizeof filler_tail - 1);
    memcpy(out + end, tail, (size_t)tail_size);
}

size_t frame_header(unsigned char *out, int opcode, size_t length) {
    out[0] = (unsigned char)(0x80 | opcode);
    if (length < 126) {
        out[1] = (unsigned char)length;
        return 2;
    }
    if (length < 65536) {
        out[1] = 126;
        out[2] = (unsigned char)(length >> 8);
        out[3] = (unsigned char)length;
        return 4;
    }
    out[1] = 127;
    for (int i = 0; i < 8; i++) out[2 + i] = (unsigned char)((uint64_t)length >> (56 - 8 * i));
    return 10;
}

struct frame *make_messages(size_t size, size_t count) {
    random_state = 0x9E3779B97F4A7C15ULL;
    struct frame *frames = calloc(count, sizeof *frames);
    for (size_t i = 0; frames != NULL && i < count; i++) {
        frames[i].bytes = malloc(size + 16);
        if (frames[i].bytes == NULL) break;
        size_t header = frame_header(frames[i].bytes, 1, size);
        make_payload((char *)frames[i].bytes + header, size);
        frames[i].length = header + size;
    }
    if (frames == NULL || frames[count - 1].bytes == NULL) {
        fputs("load-server: out of memory\n", stderr);
        exit(71);
    }
    return frames;
}
