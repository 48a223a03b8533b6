/* What the load server sends in each mode, when, and what it reports. */
#ifndef LOAD_H
#define LOAD_H

#include "connection.h"

enum mode { STREAM, ECHO_BACK, SINGLE, IDLE };

struct options {
    const char *cert, *key;
    enum mode mode;
    bool batch, paced;
    size_t size, count, connections;
    double gap, heartbeat; /* seconds */
};

extern struct options options;

_Noreturn void fail(const char *what);

/* Makes the messages; `poller` is the epoll descriptor that watches the connections. */
void load_start(int poller);
/* Sends what is due by the clock; returns how many milliseconds the poller may wait. */
int load_tick(void);
/* Something happened to a connection. */
void load_event(struct connection *connection, uint32_t events);
/* Frees the connections that are gone; false once the only one of the mode is gone. */
bool load_goes_on(void);
/* Handles a line of standard input; its end ends the program. */
void load_obey(void);
void load_report(void);

#endif
