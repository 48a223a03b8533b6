/* Prints what a compiled program relies on: sizes, offsets and numbers. Compared with abi.txt. */
#include <genesys_loop.h>
#include <stdio.h>

#define SIZE(type) printf(#type " %zu\n", sizeof(type))
#define MEMBER(type, member) printf("    " #member " %zu\n", offsetof(type, member))
#define NUMBER(name) printf(#name " %d\n", (int)name)

int main(void) {
    SIZE(genesys_error), MEMBER(genesys_error, status), MEMBER(genesys_error, message);
    SIZE(genesys_time), MEMBER(genesys_time, seconds), MEMBER(genesys_time, nanoseconds);
    SIZE(genesys_bytes), MEMBER(genesys_bytes, data), MEMBER(genesys_bytes, size);
    SIZE(genesys_notification), MEMBER(genesys_notification, message), MEMBER(genesys_notification, topic);
    MEMBER(genesys_notification, body);
    SIZE(genesys_failure), MEMBER(genesys_failure, kind), MEMBER(genesys_failure, reason);
    MEMBER(genesys_failure, phase), MEMBER(genesys_failure, description), MEMBER(genesys_failure, message);
    MEMBER(genesys_failure, http_status), MEMBER(genesys_failure, is_retryable), MEMBER(genesys_failure, retry_after);
    MEMBER(genesys_failure, correlation_id), MEMBER(genesys_failure, location);
    MEMBER(genesys_failure, remedy);
    SIZE(genesys_expiry), MEMBER(genesys_expiry, kind), MEMBER(genesys_expiry, deadline);
    SIZE(genesys_gap), MEMBER(genesys_gap, from), MEMBER(genesys_gap, to), MEMBER(genesys_gap, reason);
    SIZE(genesys_reconnect), MEMBER(genesys_reconnect, number), MEMBER(genesys_reconnect, delay);
    MEMBER(genesys_reconnect, failure);
    SIZE(genesys_recovery), MEMBER(genesys_recovery, method), MEMBER(genesys_recovery, attempt_count);
    MEMBER(genesys_recovery, reconnect_count), MEMBER(genesys_recovery, rollover_count);
    MEMBER(genesys_recovery, extension_count), MEMBER(genesys_recovery, merged_repeats);
    SIZE(genesys_channel_callbacks), MEMBER(genesys_channel_callbacks, user);
    MEMBER(genesys_channel_callbacks, did_receive), MEMBER(genesys_channel_callbacks, did_fail);
    MEMBER(genesys_channel_callbacks, will_expire), MEMBER(genesys_channel_callbacks, did_subscribe);
    MEMBER(genesys_channel_callbacks, will_reconnect), MEMBER(genesys_channel_callbacks, did_fail_rollover);
    MEMBER(genesys_channel_callbacks, did_reject), MEMBER(genesys_channel_callbacks, did_miss);
    MEMBER(genesys_channel_callbacks, did_discard), MEMBER(genesys_channel_callbacks, did_recover);
    MEMBER(genesys_channel_callbacks, did_close), MEMBER(genesys_channel_callbacks, did_change);
    SIZE(genesys_channel_config), MEMBER(genesys_channel_config, ca_file);
    MEMBER(genesys_channel_config, client_certificate), MEMBER(genesys_channel_config, client_key);
    MEMBER(genesys_channel_config, client_key_passphrase), MEMBER(genesys_channel_config, proxy);
    MEMBER(genesys_channel_config, reconnect), MEMBER(genesys_channel_config, manual_rollover);
    MEMBER(genesys_channel_config, no_extension), MEMBER(genesys_channel_config, lifetime);
    MEMBER(genesys_channel_config, heartbeat_timeout), MEMBER(genesys_channel_config, max_message_size);
    MEMBER(genesys_channel_config, alpn), MEMBER(genesys_channel_config, yields_to_takeover);
    SIZE(genesys_channel_statistics), MEMBER(genesys_channel_statistics, received_count);
    MEMBER(genesys_channel_statistics, queued_byte_count);
    NUMBER(GENESYS_LOOP_ABI);
    NUMBER(GENESYS_OK), NUMBER(GENESYS_ERROR_ARGUMENT), NUMBER(GENESYS_ERROR_URI), NUMBER(GENESYS_ERROR_TOPICS);
    NUMBER(GENESYS_ERROR_TLS), NUMBER(GENESYS_ERROR_LOOP), NUMBER(GENESYS_ERROR_PROXY);
    NUMBER(GENESYS_EXPIRY_LIFETIME), NUMBER(GENESYS_EXPIRY_MAINTENANCE);
    NUMBER(GENESYS_REMEDY_RETRY_LATER), NUMBER(GENESYS_REMEDY_NEW_CHANNEL), NUMBER(GENESYS_REMEDY_NEW_TOKEN);
    NUMBER(GENESYS_REMEDY_FIX_CONFIGURATION), NUMBER(GENESYS_REMEDY_REPORT_TO_PEER);
    NUMBER(GENESYS_CHANNEL_IDLE), NUMBER(GENESYS_CHANNEL_CONNECTING), NUMBER(GENESYS_CHANNEL_SUBSCRIBED);
    NUMBER(GENESYS_CHANNEL_RECOVERING), NUMBER(GENESYS_CHANNEL_ROLLING_OVER), NUMBER(GENESYS_CHANNEL_CLOSING);
    NUMBER(GENESYS_CHANNEL_ENDED);
    NUMBER(GENESYS_RECONNECT_BACKOFF), NUMBER(GENESYS_RECONNECT_NEVER), NUMBER(GENESYS_RECONNECT_ONCE);
    return 0;
}
