// What Swift cannot import from OpenSSL's headers: function-like macros and SSL_OP_* expressions.
#ifndef GENESYS_LOOP_COPENSSL_SHIM_H
#define GENESYS_LOOP_COPENSSL_SHIM_H

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define COSSL_INLINE static inline __attribute__((always_inline))

COSSL_INLINE long cossl_set_tlsext_host_name(SSL *ssl, const char *name) { return SSL_set_tlsext_host_name(ssl, name); }
COSSL_INLINE int cossl_ctx_set_min_proto_version(SSL_CTX *ctx, int version) {
    return (int)SSL_CTX_set_min_proto_version(ctx, version);
}
COSSL_INLINE void cossl_bio_set_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
COSSL_INLINE void cossl_bio_clear_retry_flags(BIO *bio) { BIO_clear_retry_flags(bio); }

#endif
