// What Swift cannot import from libcurl's headers: its variadic functions, one here for each type of value, and macros.
#ifndef GENESYS_LOOP_CCURL_SHIM_H
#define GENESYS_LOOP_CCURL_SHIM_H

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#if LIBCURL_VERSION_NUM < 0x075700
#error "GenesysPlatform needs libcurl 7.87 or later"
#endif

#define CCURL_INLINE static inline __attribute__((always_inline))

typedef size_t (*ccurl_bytes_callback)(char *, size_t, size_t, void *);
typedef int (*ccurl_prerequest_callback)(void *, char *, char *, int, int);
typedef CURLcode (*ccurl_context_callback)(CURL *, void *, void *);
typedef int (*ccurl_close_callback)(void *, curl_socket_t);

CCURL_INLINE CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}
CCURL_INLINE CURLcode ccurl_set_size(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}
CCURL_INLINE CURLcode ccurl_set_pointer(CURL *easy, CURLoption option, const void *value) {
    return curl_easy_setopt(easy, option, value);
}
// Basic alone: libcurl's other schemes may block.
CCURL_INLINE CURLcode ccurl_set_basic(CURL *easy, CURLoption option) {
    return curl_easy_setopt(easy, option, (long)CURLAUTH_BASIC);
}
CCURL_INLINE CURLcode ccurl_set_text(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}
CCURL_INLINE CURLcode ccurl_set_bytes_callback(CURL *easy, CURLoption option, ccurl_bytes_callback value) {
    return curl_easy_setopt(easy, option, value);
}
CCURL_INLINE CURLcode ccurl_set_prerequest_callback(CURL *easy, ccurl_prerequest_callback value) {
    return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, value);
}
CCURL_INLINE CURLcode ccurl_set_context_callback(CURL *easy, ccurl_context_callback value) {
    return curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, value);
}
CCURL_INLINE CURLcode ccurl_set_resolver_callback(CURL *easy, curl_resolver_start_callback value) {
    return curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, value);
}
CCURL_INLINE CURLcode ccurl_set_open_callback(CURL *easy, curl_opensocket_callback value) {
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, value);
}
CCURL_INLINE CURLcode ccurl_set_close_callback(CURL *easy, ccurl_close_callback value) {
    return curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, value);
}

CCURL_INLINE long ccurl_get_long(CURL *easy, CURLINFO info) {
    long value = 0;
    return curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : 0;
}
CCURL_INLINE curl_off_t ccurl_get_size(CURL *easy, CURLINFO info) {
    curl_off_t value = 0;
    return curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : 0;
}
// Valid until the next call with the handle; NULL if there is no value.
CCURL_INLINE const char *ccurl_get_text(CURL *easy, CURLINFO info) {
    char *value = NULL;
    return curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : NULL;
}
CCURL_INLINE void *ccurl_get_private(CURL *easy) {
    char *value = NULL;
    return curl_easy_getinfo(easy, CURLINFO_PRIVATE, &value) == CURLE_OK ? value : NULL;
}

CCURL_INLINE CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}
CCURL_INLINE CURLMcode ccurl_multi_set_pointer(CURLM *multi, CURLMoption option, void *value) {
    return curl_multi_setopt(multi, option, value);
}
CCURL_INLINE CURLMcode ccurl_multi_set_socket_callback(CURLM *multi, curl_socket_callback value) {
    return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, value);
}
CCURL_INLINE CURLMcode ccurl_multi_set_timer_callback(CURLM *multi, curl_multi_timer_callback value) {
    return curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, value);
}

// Chooses OpenSSL where libcurl has several TLS libraries, and initializes libcurl. Both are counted or repeatable.
CCURL_INLINE CURLcode ccurl_initialize(void) {
    curl_global_sslset(CURLSSLBACKEND_OPENSSL, NULL, NULL);
    return curl_global_init(CURL_GLOBAL_DEFAULT);
}

CCURL_INLINE const curl_version_info_data *ccurl_version(void) { return curl_version_info(CURLVERSION_NOW); }
CCURL_INLINE int ccurl_is_thread_safe(void) { return (ccurl_version()->features & CURL_VERSION_THREADSAFE) != 0; }

// A socket that no child process inherits.
CCURL_INLINE curl_socket_t ccurl_socket(const struct curl_sockaddr *address) {
#ifdef SOCK_CLOEXEC
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
#else
    int descriptor = socket(address->family, address->socktype, address->protocol);
    if (descriptor >= 0) fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    return descriptor;
#endif
}

// A struct sockaddr, which may be longer than its declaration in the record.
CCURL_INLINE const void *ccurl_address(const struct curl_sockaddr *address) { return &address->addr; }

CCURL_INLINE bool ccurl_is_connected(curl_socket_t descriptor) {
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    return getpeername(descriptor, (struct sockaddr *)&peer, &length) == 0;
}

CCURL_INLINE int ccurl_port(const struct sockaddr_storage *address) {
    if (address->ss_family == AF_INET) return ntohs(((const struct sockaddr_in *)address)->sin_port);
    if (address->ss_family == AF_INET6) return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    return -1;
}

// Whether a connection has these two ports.
CCURL_INLINE bool ccurl_has_ports(curl_socket_t descriptor, int own, int other) {
    struct sockaddr_storage name, peer;
    socklen_t name_length = sizeof name, peer_length = sizeof peer;
    return getsockname(descriptor, (struct sockaddr *)&name, &name_length) == 0 &&
           getpeername(descriptor, (struct sockaddr *)&peer, &peer_length) == 0 && ccurl_port(&name) == own &&
           ccurl_port(&peer) == other;
}

CCURL_INLINE int ccurl_errno(void) { return errno; }
CCURL_INLINE int ccurl_refused(void) { return ECONNREFUSED; }
CCURL_INLINE curl_socket_t ccurl_timeout_socket(void) { return CURL_SOCKET_TIMEOUT; }

// The number of bytes; 0 or negative without any.
CCURL_INLINE ssize_t ccurl_receive(curl_socket_t descriptor, void *bytes, size_t count) {
    return recv(descriptor, bytes, count, MSG_DONTWAIT);
}

CCURL_INLINE int ccurl_close(curl_socket_t descriptor) { return close(descriptor); }

// Overwrites memory that is about to be freed; the compiler must not leave that out.
CCURL_INLINE void ccurl_wipe(void *bytes, size_t count) {
    memset(bytes, 0, count);
    __asm__ __volatile__("" : : "r"(bytes) : "memory");
}

// Overwrites the texts of a list, and frees it.
CCURL_INLINE void ccurl_free_list(struct curl_slist *list) {
    for (struct curl_slist *each = list; each != NULL; each = each->next) ccurl_wipe(each->data, strlen(each->data));
    curl_slist_free_all(list);
}

#endif
