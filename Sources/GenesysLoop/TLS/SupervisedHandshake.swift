internal import COpenSSL

/// A client's handshake that another library makes, with an `SSL_CTX` of its own, under the rules of a `TLSContext`.
///
/// The other library decides about bytes and sockets. Who is trusted, which name the certificate must hold, what is
/// offered, and what is presented are the context's, and the failure is the one that a `TLSSession` reports. The rules
/// do not depend on the other library's own settings: the chain is verified against the context's store, which the
/// other library never sees.
///
///     attach ──▶ handshake ──▶ isTrusted
///                    └───────▶ failure            also later, when a client's certificate is refused by TLS 1.3
@safe package final class SupervisedHandshake {
    private let rules: TLSContext
    private let configuration: TLSConfiguration
    private let host: String
    private let hostName: HostName
    private var finding: CertificateFinding?
    private var isCertificateMissing = false
    /// The head of the peer's first record.
    private var firstBytes: [UInt8] = []
    private var isEstablished = false
    /// The session of the complete handshake; nil once it is freed.
    private var session: OpaquePointer?

    /// The first failure. The end of the peer's bytes and of the connection are not failures of TLS.
    package private(set) var failure: TLSError?
    /// Whether the peer has ended its side: without that, the end of its data may be missing (RFC 8446 §6.1).
    package private(set) var hasReceivedCloseNotify = false
    /// Whether the handshake is complete, and the peer is the one that was asked for.
    package var isTrusted: Bool { isEstablished && failure == nil }

    /// - Parameters:
    ///   - context: made for clients.
    ///   - host: the name or address that the server's certificate must hold, unless the configuration has another; an
    ///     IPv6 address without brackets.
    /// - Throws: `TLSError.Fault.configuration` when `host` is neither a name nor an address.
    package init(context: TLSContext, host: String) throws(TLSError) {
        guard let configuration = context.configuration else {
            preconditionFailure("a client's handshake needs a client's context")
        }
        rules = context
        self.configuration = configuration
        self.host = configuration.serverName ?? host
        hostName = try HostName(self.host)
    }

    /// Puts the rules on an `SSL_CTX`, of which no session has been made, and observes its sessions.
    ///
    /// - Parameter foreign: alive during the call. It holds this object until it is freed.
    /// - Returns: false if OpenSSL refused something; `failure` has the reason, and the `SSL_CTX` must not be used.
    package func attach(to foreign: UnsafeMutableRawPointer) -> Bool {
        let target = OpaquePointer(foreign)
        do throws(TLSError) {
            try unsafe setRules(of: target)
            try unsafe observe(target)
            return true
        } catch {
            failure = error
            return false
        }
    }

    private func setRules(of target: OpaquePointer) throws(TLSError) {
        ErrorQueue.clear()
        // Both contexts are alive during the call; what the target takes over gets references of its own.
        let source = unsafe rules.pointer
        unsafe SSL_CTX_clear_options(target, SSL_CTX_get_options(target))
        unsafe SSL_CTX_set_options(target, SSL_CTX_get_options(source))
        unsafe SSL_CTX_set_security_level(target, SSL_CTX_get_security_level(source))
        unsafe SSL_CTX_set_post_handshake_auth(target, 0)
        unsafe SSL_CTX_set_keylog_callback(target, nil)
        unsafe cossl_ctx_set_session_cache_off(target)
        guard unsafe cossl_ctx_set_min_proto_version(target, cossl_ctx_get_min_proto_version(source)) == 1,
            unsafe cossl_ctx_set_max_proto_version(target, cossl_ctx_get_max_proto_version(source)) == 1,
            let store = unsafe SSL_CTX_get_cert_store(source),
            unsafe cossl_ctx_set1_verify_store(target, store) == 1,
            unsafe cossl_ctx_set1_chain_store(target, store) == 1,
            unsafe X509_VERIFY_PARAM_set1(SSL_CTX_get0_param(target), SSL_CTX_get0_param(source)) == 1
        else { throw .draining("SSL_CTX_set1_verify_cert_store") }
        try unsafe ClientMaterial.setAlgorithms(configuration, of: target)
        try unsafe ClientMaterial.setProtocols(configuration.applicationProtocols, of: target)
        try unsafe hostName.require(in: SSL_CTX_get0_param(target))
        try unsafe copyIdentity(from: source, to: target)
    }

    private func copyIdentity(from source: OpaquePointer, to target: OpaquePointer) throws(TLSError) {
        guard let certificate = unsafe SSL_CTX_get0_certificate(source) else { return }
        guard unsafe SSL_CTX_use_certificate(target, certificate) == 1,
            unsafe cossl_ctx_copy_chain(target, source) == 1,
            unsafe SSL_CTX_use_PrivateKey(target, SSL_CTX_get0_privatekey(source)) == 1
        else { throw .draining("SSL_CTX_use_certificate") }
    }

    private func observe(_ target: OpaquePointer) throws(TLSError) {
        let reference = unsafe Unmanaged.passRetained(self)
        // The target releases the reference when it is freed; it outlives its sessions and their callbacks.
        guard unsafe SSL_CTX_set_ex_data(target, SupervisedHandshake.index, reference.toOpaque()) == 1 else {
            unsafe reference.release()
            throw .draining("SSL_CTX_set_ex_data")
        }
        unsafe SSL_CTX_set_verify(target, SSL_VERIFY_PEER, nil)
        unsafe SSL_CTX_set_cert_verify_callback(target, verifyCallback, reference.toOpaque())
        unsafe SSL_CTX_set_client_cert_cb(target, certificateWantedCallback)
        unsafe SSL_CTX_set_info_callback(target, informationCallback)
        unsafe SSL_CTX_set_msg_callback(target, messageCallback)
    }

    /// Where an `SSL_CTX` keeps the object.
    private static let index = unsafe cossl_ctx_new_index(releaseCallback)

    /// Where a session keeps the object, without a reference: its `SSL_CTX`, which is freed after it, has one.
    private static let sessionIndex = unsafe cossl_ssl_new_index(sessionWillEndCallback)

    fileprivate func sessionWillEnd() {
        unsafe session = nil
    }

    /// The object of a session; nil while the session ends.
    fileprivate static func of(_ ssl: OpaquePointer?) -> SupervisedHandshake? {
        // The session's `SSL_CTX` is alive during the callback, and holds the object.
        guard let ssl = unsafe ssl, let data = unsafe SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), index) else {
            return nil
        }
        return unsafe Unmanaged<SupervisedHandshake>.fromOpaque(data).takeUnretainedValue()
    }

    // MARK: - What OpenSSL reports

    fileprivate func verify(_ context: OpaquePointer) -> Bool {
        finding = unsafe CertificateDiagnosis.verify(
            context, pins: configuration.pins, host: host, trust: rules.trust)
        return finding == nil
    }

    fileprivate func certificateIsWanted() {
        isCertificateMissing = true
    }

    fileprivate func receivedRecord(_ head: UnsafeRawBufferPointer) {
        if firstBytes.isEmpty { unsafe firstBytes = Array(head.prefix(5)) }
    }

    fileprivate func observed(_ event: Int32, _ value: Int32, of ssl: OpaquePointer) {
        let (isFatal, alert) = (value >> 8 == SSL3_AL_FATAL, Int(value & 0xFF))
        switch event {
        case SSL_CB_HANDSHAKE_DONE:
            if !isEstablished { unsafe complete(ssl) }
        case SSL_CB_CONNECT_EXIT where value <= 0:
            fail("SSL_do_handshake", .peek())
        case SSL_CB_WRITE_ALERT where isEstablished && isFatal:
            fail("SSL_read_ex", .peek())
        case SSL_CB_READ_ALERT where alert == Int(SSL_AD_CLOSE_NOTIFY):
            hasReceivedCloseNotify = true
        case SSL_CB_READ_ALERT where isEstablished:
            // With TLS 1.3 every other alert but this one ends the connection (RFC 8446 §6).
            guard isFatal || alert != SupervisedHandshake.userCanceled else { break }
            fail("SSL_read_ex", .holding(alert: alert))
        default:
            break
        }
    }

    private static let userCanceled = 90

    /// Reads ciphertext that the other library has left in the socket of a broken connection: an alert in it explains
    /// the end. The session carries no data afterwards.
    package func receiveRest(_ ciphertext: [UInt8]) {
        guard let session = unsafe session, failure == nil, !ciphertext.isEmpty,
            let input = try? OwnedBIO.holding(ciphertext), let output = try? OwnedBIO()
        else { return }
        // The session is alive, and gets back its streams, which have a reference of ours in between.
        let (reader, writer) = unsafe (SSL_get_rbio(session), SSL_get_wbio(session))
        guard unsafe BIO_up_ref(reader) == 1 else { return }
        guard unsafe BIO_up_ref(writer) == 1 else {
            unsafe BIO_free_all(reader)
            return
        }
        unsafe BIO_up_ref(input.pointer)
        unsafe BIO_up_ref(output.pointer)
        unsafe SSL_set0_rbio(session, input.pointer)
        unsafe SSL_set0_wbio(session, output.pointer)
        ErrorQueue.clear()
        var byte: UInt8 = 0
        var count = 0
        // The variables live during the call; what OpenSSL finds is reported to `observed`.
        unsafe SSL_peek_ex(session, &byte, 1, &count)
        ErrorQueue.clear()
        unsafe SSL_set0_rbio(session, reader)
        unsafe SSL_set0_wbio(session, writer)
    }

    /// The second check of `TLSSession`: a handshake must not complete without a verified certificate, nor with a
    /// protocol that was not offered.
    private func complete(_ ssl: OpaquePointer) {
        isEstablished = true
        // The session is alive during the callback, and reports its end.
        let reference = unsafe Unmanaged.passUnretained(self).toOpaque()
        if unsafe SSL_set_ex_data(ssl, SupervisedHandshake.sessionIndex, reference) == 1 { unsafe session = unsafe ssl }
        guard unsafe SSL_get_verify_result(ssl) == Int(X509_V_OK), unsafe SSL_get0_peer_certificate(ssl) != nil else {
            failure = failure ?? .internal("SSL_do_handshake", "the peer's certificate was not verified")
            return
        }
        guard let chosen = unsafe TLSSession.applicationProtocol(of: ssl) else { return }
        if let error = configuration.violation(ofChoosing: chosen) { failure = failure ?? error }
    }

    private func fail(_ operation: String, _ queue: ErrorQueue) {
        guard failure == nil, !queue.entries.isEmpty, !queue.isEndOfInput else { return }
        // A TLS record starts with its type and the version 3.x (RFC 8446 §5.1).
        let looksLikeTLS = firstBytes.isEmpty || (20...24).contains(firstBytes[0]) && firstBytes.dropFirst().first == 3
        failure = TLSError(
            operation, queue,
            TLSError.Circumstances(
                finding: finding, looksLikeTLS: looksLikeTLS, isEstablished: isEstablished,
                hasTakenInput: !firstBytes.isEmpty, isCertificateMissing: isCertificateMissing))
    }
}

// OpenSSL's pointers live during these callbacks.

private func verifyCallback(_ context: OpaquePointer?, _ argument: UnsafeMutableRawPointer?) -> Int32 {
    guard let context = unsafe context, let argument = unsafe argument else { return 0 }
    // The `SSL_CTX` holds the object.
    let handshake = unsafe Unmanaged<SupervisedHandshake>.fromOpaque(argument).takeUnretainedValue()
    return unsafe handshake.verify(context) ? 1 : 0
}

/// The server wants a certificate and none is configured: the failure that follows has its own name.
private func certificateWantedCallback(
    _ ssl: OpaquePointer?, _ certificate: UnsafeMutablePointer<OpaquePointer?>?,
    _ key: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
    unsafe SupervisedHandshake.of(ssl)?.certificateIsWanted()
    return 0
}

private func informationCallback(_ ssl: OpaquePointer?, _ event: Int32, _ value: Int32) {
    guard let ssl = unsafe ssl else { return }
    unsafe SupervisedHandshake.of(ssl)?.observed(event, value, of: ssl)
}

private func messageCallback(
    _ isWriting: Int32, _ version: Int32, _ type: Int32, _ bytes: UnsafeRawPointer?, _ count: Int,
    _ ssl: OpaquePointer?, _ argument: UnsafeMutableRawPointer?
) {
    guard isWriting == 0, type == SSL3_RT_HEADER else { return }
    unsafe SupervisedHandshake.of(ssl)?.receivedRecord(UnsafeRawBufferPointer(start: bytes, count: count))
}

/// The `SSL_CTX` is being freed; its sessions are gone.
private func releaseCallback(
    _ parent: UnsafeMutableRawPointer?, _ object: UnsafeMutableRawPointer?,
    _ data: UnsafeMutablePointer<CRYPTO_EX_DATA>?,
    _ index: Int32, _ number: Int, _ argument: UnsafeMutableRawPointer?
) {
    guard let object = unsafe object else { return }
    unsafe Unmanaged<SupervisedHandshake>.fromOpaque(object).release()
}

/// A session is being freed; its `SSL_CTX` still holds the object.
private func sessionWillEndCallback(
    _ parent: UnsafeMutableRawPointer?, _ object: UnsafeMutableRawPointer?,
    _ data: UnsafeMutablePointer<CRYPTO_EX_DATA>?,
    _ index: Int32, _ number: Int, _ argument: UnsafeMutableRawPointer?
) {
    guard let object = unsafe object else { return }
    unsafe Unmanaged<SupervisedHandshake>.fromOpaque(object).takeUnretainedValue().sessionWillEnd()
}
