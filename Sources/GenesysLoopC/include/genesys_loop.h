/* GenesysLoop for C: Genesys Cloud notifications on a libuv loop.
 *
 * Threads. A loop and everything on it belong to the thread that runs it. Only genesys_loop_execute, genesys_loop_stop
 * and genesys_loop_is_current may be called from other threads; any other call from another thread ends the process
 * with a message. Callbacks come on the loop's thread.
 *
 * Ownership. The result of genesys_..._new is yours until genesys_..._release. Releasing is legal in every callback and
 * does not close: from genesys_channel_open to its last callback (did_fail or did_close) the loop retains a channel.
 * What a callback receives by pointer is borrowed until it returns: copy what you want to keep. Strings and structs
 * that you pass are copied. A NULL handle causes GENESYS_ERROR_ARGUMENT, or no effect if the function returns nothing.
 *
 * Re-entrancy. Every call here is legal in every callback, except genesys_loop_run.
 *
 * Compatibility. The structs that you fill begin with their size, sizeof the struct you were compiled with. Later
 * versions append members, and accept a smaller struct as one whose later members have their defaults.
 *
 * Loading. The library may be loaded with dlopen. It stays in memory until the process ends: dlclose is legal, even
 * during a name lookup, but unmaps nothing, and a later dlopen finds the same library.
 */
#ifndef GENESYS_LOOP_H
#define GENESYS_LOOP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GENESYS_LOOP_VERSION_MAJOR 0
#define GENESYS_LOOP_VERSION_MINOR 1
#define GENESYS_LOOP_VERSION_PATCH 0
/* Increased when programs compiled before would no longer work; the number in libGenesysLoopC.so.0. */
#define GENESYS_LOOP_ABI 0

struct uv_loop_s;

/* The result of a call. The numbers never change. */
typedef enum genesys_status {
    GENESYS_OK = 0,
    GENESYS_ERROR_ARGUMENT = 1,    /* a NULL pointer, a number out of range, or an invalid struct size */
    GENESYS_ERROR_URI = 2,         /* not a ws: or wss: URI */
    GENESYS_ERROR_TOPICS = 3,      /* more than 1,000 topics, or an invalid one */
    GENESYS_ERROR_TLS = 4,         /* certificates, keys or settings cannot be used */
    GENESYS_ERROR_LOOP = 5,        /* the loop cannot be made or adopted, or is closed */
    GENESYS_ERROR_PROXY = 6        /* the proxy's URL cannot be used */
} genesys_status;

/* Why a call failed, in one sentence; pass NULL if you do not need it. */
typedef struct genesys_error {
    genesys_status status;
    char message[256];             /* UTF-8, cut if it is longer; never holds a secret */
} genesys_error;

typedef struct genesys_loop genesys_loop;
typedef struct genesys_channel genesys_channel;

/* Seconds and nanoseconds since 1970-01-01 00:00:00 UTC. */
typedef struct genesys_time {
    int64_t seconds;
    int32_t nanoseconds;
} genesys_time;

/* UTF-8 or raw bytes, not terminated by a zero. */
typedef struct genesys_bytes {
    const uint8_t *data;
    size_t size;
} genesys_bytes;

/* One notification, in the receive buffer. */
typedef struct genesys_notification {
    genesys_bytes message;         /* the whole message, a JSON object */
    genesys_bytes topic;           /* the text of topicName as it was sent, between its quotes */
    genesys_bytes body;            /* eventBody, JSON; empty if there is none */
} genesys_notification;

/* What can be done about a failure. */
typedef enum genesys_remedy {
    GENESYS_REMEDY_RETRY_LATER = 0,        /* it may pass by itself */
    GENESYS_REMEDY_NEW_CHANNEL = 1,        /* the channel is gone, or another client uses it */
    GENESYS_REMEDY_NEW_TOKEN = 2,          /* a new token, and a new channel with it */
    GENESYS_REMEDY_FIX_CONFIGURATION = 3,  /* URI, topics or their permissions, trust, identity, proxy, limits */
    GENESYS_REMEDY_REPORT_TO_PEER = 4      /* tell those who run the server, or what stands before it */
} genesys_remedy;

typedef struct genesys_failure {
    const char *kind;              /* such as "initialization.connection" */
    const char *reason;            /* such as "tlsExpired" */
    const char *phase;             /* such as "tls" */
    const char *description;       /* one sentence */
    const char *message;           /* what the service, or a proxy before it, said when it refused; or NULL */
    int32_t http_status;           /* 0 if there was none */
    int32_t is_retryable;          /* 1 if it may pass */
    double retry_after;            /* seconds; negative if there was none */
    const char *correlation_id;    /* the service's id of the refused request, for its support; or NULL */
    const char *location;          /* the host that a refused upgrade was redirected to, or NULL */
    genesys_remedy remedy;
} genesys_failure;

typedef enum genesys_expiry_kind { GENESYS_EXPIRY_LIFETIME = 0, GENESYS_EXPIRY_MAINTENANCE = 1 } genesys_expiry_kind;

typedef struct genesys_expiry {
    genesys_expiry_kind kind;
    genesys_time deadline;
} genesys_expiry;

typedef struct genesys_gap {
    genesys_time from;             /* everything is proven to have arrived up to here; before the last notification */
    genesys_time to;               /* when the new subscription was confirmed */
    const char *reason;            /* why the old connection was lost */
} genesys_gap;

typedef struct genesys_reconnect {
    uint64_t number;
    double delay;                  /* seconds */
    const genesys_failure *failure;
} genesys_reconnect;

typedef struct genesys_recovery {
    const char *method;            /* "reconnect", "rollover" or "extension" */
    uint64_t attempt_count, reconnect_count, rollover_count, extension_count, merged_repeats;
} genesys_recovery;

/* What a channel is doing. Notifications arrive in GENESYS_CHANNEL_SUBSCRIBED and GENESYS_CHANNEL_ROLLING_OVER. */
typedef enum genesys_channel_state {
    GENESYS_CHANNEL_IDLE = 0,          /* made and not opened */
    GENESYS_CHANNEL_CONNECTING = 1,    /* the first connection, or the time before the next attempt at it */
    GENESYS_CHANNEL_SUBSCRIBED = 2,    /* the service has confirmed the subscription */
    GENESYS_CHANNEL_RECOVERING = 3,    /* the connection was lost */
    GENESYS_CHANNEL_ROLLING_OVER = 4,  /* a second connection is taking over from the first */
    GENESYS_CHANNEL_CLOSING = 5,       /* after genesys_channel_close */
    GENESYS_CHANNEL_ENDED = 6          /* the last callback came, or comes when the last handle is closed */
} genesys_channel_state;

/* The events of a channel. Any member may be NULL, but a host without did_miss does not learn of gaps, and one without
 * did_fail does not learn that its channel has ended. Until the first connection is made or given up, 60 s by default,
 * only will_reconnect says why an attempt failed: set it. did_fail and did_close are terminal: exactly one of them is
 * called, once and last. The members correspond to the methods of NotificationChannelDelegate in Swift. */
typedef struct genesys_channel_callbacks {
    size_t struct_size;
    void *user;                    /* passed to each callback unchanged */
    void (*did_receive)(genesys_channel *channel, const genesys_notification *notification, void *user);
    void (*did_fail)(genesys_channel *channel, const genesys_failure *failure, void *user);
    void (*will_expire)(genesys_channel *channel, const genesys_expiry *expiry, void *user);
    void (*did_subscribe)(genesys_channel *channel, const char *const *topics, size_t count, void *user);
    void (*will_reconnect)(genesys_channel *channel, const genesys_reconnect *attempt, void *user);
    void (*did_fail_rollover)(genesys_channel *channel, const genesys_failure *failure, void *user);
    void (*did_reject)(genesys_channel *channel, const char *const *topics, size_t count, int32_t status,
                       const char *message, void *user);
    void (*did_miss)(genesys_channel *channel, const genesys_gap *gap, void *user);
    void (*did_discard)(genesys_channel *channel, genesys_bytes message, const char *reason, void *user);
    void (*did_recover)(genesys_channel *channel, const genesys_recovery *recovery, void *user);
    void (*did_close)(genesys_channel *channel, void *user);
    /* Called before the callbacks that say what the change consists of; never after genesys_channel_close. */
    void (*did_change)(genesys_channel *channel, genesys_channel_state state, void *user);
} genesys_channel_callbacks;

typedef enum genesys_reconnect_policy {
    GENESYS_RECONNECT_BACKOFF = 0,
    GENESYS_RECONNECT_NEVER = 1,
    GENESYS_RECONNECT_ONCE = 2
} genesys_reconnect_policy;

/* 0 and NULL mean the default of each member, so memset and struct_size make the default configuration. */
typedef struct genesys_channel_config {
    size_t struct_size;
    const char *ca_file;               /* PEM; default: the system's store */
    const char *client_certificate;    /* PEM file; with client_key */
    const char *client_key;
    const char *client_key_passphrase;
    const char *proxy;                 /* a URL; "environment" for HTTPS_PROXY, ALL_PROXY and NO_PROXY; default: none */
    genesys_reconnect_policy reconnect;
    int32_t manual_rollover;           /* 1: only genesys_channel_rollover rolls over */
    int32_t no_extension;              /* 1: the channel's life is not extended */
    double lifetime;                   /* seconds; default 82,800 */
    double heartbeat_timeout;          /* seconds; default 35 */
    uint64_t max_message_size;         /* bytes; default 16 MiB */
    const char *alpn;                  /* the protocol offered by ALPN (RFC 7301), 1 to 255 bytes; default: "http/1.1";
                                          an empty string offers none */
    int32_t yields_to_takeover;        /* 1: another client that takes the channel over ends it, channelTakenOver */
} genesys_channel_config;

typedef struct genesys_channel_statistics {
    size_t struct_size;
    uint64_t received_count, discarded_count, received_byte_count;
    uint64_t reconnect_count, rollover_count, extension_count, gap_count, merged_repeats;
    uint64_t connection_count, queued_byte_count;
} genesys_channel_statistics;

/* The version of the loaded library. */
uint32_t genesys_loop_version(void);        /* major * 1,000,000 + minor * 1,000 + patch */
const char *genesys_loop_version_text(void);

/* Makes a new loop for the thread that runs it; NULL on failure. */
genesys_loop *genesys_loop_new(genesys_error *error);
/* Uses a loop of yours, which is never run, stopped, walked or closed. It belongs to the current thread until its first
 * callback, and then to the thread of that callback. */
genesys_loop *genesys_loop_adopt(struct uv_loop_s *loop, genesys_error *error);
/* Makes the current thread the loop's. Wanted only if another thread than that of genesys_loop_adopt runs the loop and
 * calls functions of this header before the first callback, or to hand a loop that is not running to another thread. */
void genesys_loop_bind(genesys_loop *loop);
/* Runs a loop of genesys_loop_new until nothing on it is open, or until genesys_loop_stop. */
void genesys_loop_run(genesys_loop *loop);
void genesys_loop_stop(genesys_loop *loop);
int genesys_loop_is_current(const genesys_loop *loop);
/* Calls `function` once on the loop's thread, in the order of the calls of each thread. GENESYS_OK: it is called by
 * this genesys_loop_run or the next; never, if the loop is released or left before its turn. GENESYS_ERROR_LOOP: the
 * loop was left (genesys_loop_detach), and it is never called. GENESYS_ERROR_ARGUMENT: a NULL pointer. */
genesys_status genesys_loop_execute(genesys_loop *loop, void (*function)(void *user), void *user);
/* Whether our handles keep an adopted loop alive (1, the default) or not (0); whether genesys_loop_run goes on while
 * nothing is open on a loop of genesys_loop_new (1) or not (0, the default). */
void genesys_loop_set_keeps_running(genesys_loop *loop, int keeps_running);
/* Closes every channel of the loop. */
void genesys_loop_close_all(genesys_loop *loop);
/* Leaves an adopted loop when every channel on it has ended; it closes none (genesys_loop_close_all does).
 * `completion`, which may be NULL, is called in your uv_run when none of our handles is left on the loop, or inside
 * this call if none was left before. May be called in any callback, and again: each completion is called. From the
 * first call on no channel can be made on the loop. Open no channel that was made before once the loop is left: that
 * ends the process with a message. */
void genesys_loop_detach(genesys_loop *loop, void (*completion)(void *user), void *user);
void genesys_loop_release(genesys_loop *loop);

/* Makes a channel that is not open yet; NULL on failure, and on a loop that was left (genesys_loop_detach). `config`
 * may be NULL. */
genesys_channel *genesys_channel_new(genesys_loop *loop, const char *uri, const char *const *topics, size_t topic_count,
                                     const genesys_channel_callbacks *callbacks, const genesys_channel_config *config,
                                     genesys_error *error);
void genesys_channel_open(genesys_channel *channel);
/* After this only did_close follows, once and last. */
void genesys_channel_close(genesys_channel *channel);
void genesys_channel_pause(genesys_channel *channel);
void genesys_channel_resume(genesys_channel *channel);
/* Moves to another channel's URI; a failure is reported to did_fail_rollover. */
void genesys_channel_rollover(genesys_channel *channel, const char *uri);
genesys_status genesys_channel_subscribe(genesys_channel *channel, const char *const *topics, size_t count,
                                         genesys_error *error);
/* Fails only if the channel or a topic is NULL, or a topic is not UTF-8; unknown topics are ignored. */
genesys_status genesys_channel_unsubscribe(genesys_channel *channel, const char *const *topics, size_t count,
                                           genesys_error *error);
genesys_status genesys_channel_set_topics(genesys_channel *channel, const char *const *topics, size_t count,
                                          genesys_error *error);
/* What the channel is doing; GENESYS_CHANNEL_IDLE for NULL. */
genesys_channel_state genesys_channel_get_state(genesys_channel *channel);
/* Fills the part of `statistics` that its struct_size covers. */
genesys_status genesys_channel_get_statistics(genesys_channel *channel, genesys_channel_statistics *statistics,
                                              genesys_error *error);
void genesys_channel_release(genesys_channel *channel);

#ifdef __cplusplus
}
#endif

#endif
