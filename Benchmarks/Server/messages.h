/* The notifications that the load server sends: ready-made WebSocket frames, all of one size. */
#ifndef MESSAGES_H
#define MESSAGES_H

#include <stddef.h>

struct frame {
    unsigned char *bytes; /* header and payload */
    size_t length;
};

/* The shortest notification that can be made. */
#define MIN_MESSAGE_SIZE 384

/* Makes `count` distinct notifications of exactly `size` bytes each, and frames them. The same arguments give the same
   bytes. Exits when there is no memory. */
struct frame *make_messages(size_t size, size_t count);

/* Writes the header of an unmasked frame of `length` bytes, and returns the header's size. */
size_t frame_header(unsigned char *out, int opcode, size_t length);

#endif
