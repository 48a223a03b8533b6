internal import COpenSSL

/// Why TLS could not be set up, or broke.
///
/// `description` is one sentence that says what happened. It can hold the host's name, names and dates of the peer's
/// certificate, and paths of files the user named; never a key, a target or a payload.
package struct TLSError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The cause, and which side is responsible.
    package enum Fault: Hashable, Sendable {
        /// The peer's chain was refused. `depth` 0 is the peer's own certificate, 1 its issuer and so on; `code` is
        /// OpenSSL's X.509 verification code; `text` describes the fault.
        case certificate(CertificateFault, depth: Int, code: Int, text: String)
        /// The peer ended TLS with a fatal alert (RFC 8446 §6.2): its number and name.
        case alertReceived(Int, String)
        /// The server requires a client certificate, no suitable one is configured, and the server ended TLS with this
        /// alert.
        case clientCertificateMissing(alert: Int, String)
        /// The first bytes of the peer are not a TLS record: it speaks another protocol, plain HTTP for example.
        case notTLS
        /// The peer broke the rules of TLS: a bad record MAC, an unexpected or malformed record or message.
        case `protocol`
        /// The peer offered no version that we accept.
        case version
        /// No cipher, group or signature algorithm in common, or one below our security level.
        case cipher
        /// A file or value of the configuration cannot be used; the error's `text` is the sentence.
        case configuration
        /// Something of ours failed, memory for example, or OpenSSL was used incorrectly.
        case `internal`
    }

    /// The operation that failed, for example `SSL_do_handshake`.
    package var operation: String
    /// OpenSSL's packed error code (see `openssl errstr`), or the X.509 code of a refused chain; 0 if there is none.
    package var code: Int
    /// What OpenSSL's error queue said, oldest first; a clause or a sentence about it where that alone says too little.
    package var text: String
    /// The cause, and which side is responsible.
    package var fault: Fault

    package init(operation: String, code: Int, text: String, fault: Fault) {
        self.operation = operation
        self.code = code
        self.text = text
        self.fault = fault
    }

    /// One sentence.
    package var description: String {
        switch fault {
        case .certificate(_, _, _, let text):
            "The peer's certificate is not trusted: \(text)."
        case .alertReceived(TLSError.noApplicationProtocol, let name):
            "The peer takes no application protocol that was offered to it by ALPN: it ended TLS with the alert “\(name)” "
                + "(\(TLSError.noApplicationProtocol)). Offer one that it speaks, or none."
        case .alertReceived(let number, let name):
            "The peer ended TLS with the alert “\(name)” (\(number))."
        case .clientCertificateMissing(let number, let name):
            "The server wants a client certificate, and none that suits it is configured: it ended TLS with the "
                + "alert “\(name)” (\(number))."
        case .notTLS:
            "The peer does not speak TLS on this port: its first bytes are no TLS record."
        case .protocol:
            "The peer broke the TLS protocol: \(text)."
        case .version:
            "The peer offers no acceptable TLS version: \(text)."
        case .cipher:
            "No acceptable TLS algorithm in common with the peer: \(text)."
        case .configuration:
            text
        case .internal:
            "OpenSSL failed in \(operation): \(text)."
        }
    }

    /// The sentence as a part of another one.
    package var clause: String { Sentence.clause(description) }

    /// RFC 7301 §3.2: the alert no_application_protocol.
    private static let noApplicationProtocol = 120

    /// A text with its first letter in upper case.
    package static func capitalized(_ text: String) -> String {
        text.prefix(1).uppercased() + text.dropFirst()
    }

    /// Whether the peer requires a client certificate, or refused ours: the alerts bad_certificate to
    /// certificate_unknown, unknown_ca, access_denied and certificate_required (RFC 8446 §6.2).
    package var isClientCertificateRefused: Bool {
        switch fault {
        case .clientCertificateMissing: true
        case .alertReceived(let number, _): (41...46).contains(number) || [48, 49, 116].contains(number)
        case .certificate, .notTLS, .protocol, .version, .cipher, .configuration, .internal: false
        }
    }

    package static func configuration(_ sentence: String, operation: String = "configure") -> TLSError {
        TLSError(operation: operation, code: 0, text: sentence, fault: .configuration)
    }

    static func `internal`(_ operation: String, _ text: String) -> TLSError {
        TLSError(operation: operation, code: 0, text: text, fault: .internal)
    }
}

extension TLSError {
    /// What is known of a session when one of its calls fails.
    struct Circumstances {
        /// The finding, if the peer's chain was refused.
        var finding: CertificateFinding?
        /// Whether the first bytes of the peer looked like a TLS record; true if none has arrived.
        var looksLikeTLS: Bool
        /// Whether the handshake had been completed.
        var isEstablished: Bool
        /// Whether the failed call consumed bytes of the peer.
        var hasTakenInput: Bool
        /// Whether the server asked for a certificate, and none is configured.
        var isCertificateMissing = false
    }

    /// Builds the error of a failed call from its entries of the error queue.
    init(_ operation: String, _ queue: ErrorQueue, _ circumstances: Circumstances) {
        if let finding = circumstances.finding {
            self.init(operation: operation, code: finding.code, text: queue.text, fault: finding.asFault)
            return
        }
        var fault =
            if !circumstances.isEstablished && !circumstances.looksLikeTLS {
                Fault.notTLS
            } else {
                queue.essential.map { Fault($0, of: queue, circumstances) } ?? .internal
            }
        var text = queue.text
        if fault == .protocol, queue.essential?.isInternalError == true {
            text = "OpenSSL cannot process what it sent (\(text))"
        }
        // Before TLS 1.3 a server says handshake_failure (RFC 5246 §7.4.6).
        if circumstances.isCertificateMissing, case .alertReceived(let number, let name) = fault,
            (40...46).contains(number) || [48, 49, 116].contains(number)
        {
            fault = .clientCertificateMissing(alert: number, name)
        }
        self.init(operation: operation, code: Int(queue.essential?.code ?? 0), text: text, fault: fault)
    }

    /// Builds the error of a call that does not involve a peer.
    package static func draining(_ operation: String) -> TLSError {
        let queue = ErrorQueue.drain()
        return TLSError(
            operation: operation, code: Int(queue.essential?.code ?? 0), text: queue.text, fault: .internal)
    }
}

extension TLSError.Fault {
    /// Classifies the essential entry of an error queue.
    fileprivate init(_ entry: ErrorQueue.Entry, of queue: ErrorQueue, _ circumstances: TLSError.Circumstances) {
        guard entry.library == Int(ERR_LIB_SSL) else {
            // A record or message that libcrypto refused (malformed keys, points, certificates) came from the peer.
            self = entry.library == Int(ERR_LIB_SYS) || entry.isMemoryExhausted ? .internal : .protocol
            return
        }
        let alertOffset = Int(SSL_AD_REASON_OFFSET)
        switch entry.reason {
        case alertOffset..<(alertOffset + 256):
            self = .received(alert: entry.reason - alertOffset)
        case Int(SSL_R_HTTP_REQUEST), Int(SSL_R_HTTPS_PROXY_REQUEST):
            self = .notTLS
        case Int(SSL_R_WRONG_VERSION_NUMBER) where circumstances.isEstablished:
            self = .protocol
        case _ where Self.versionReasons.contains(entry.reason):
            self = .version
        case _ where Self.cipherReasons.contains(entry.reason):
            self = .cipher
        case _ where entry.isInternalError:
            // OpenSSL reports this where it has no better reason. Some of these failures only the peer's bytes can
            // cause: a TLS 1.2 record too short for its cipher, a public key from which no secret can be derived.
            let isPeers = circumstances.hasTakenInput && !entry.isAboutOwnMessage && !queue.hasOwnCause
            self = isPeers ? .protocol : .internal
        case _ where entry.reason & Int(ERR_RFLAG_FATAL) != 0:
            self = .internal
        default:
            self = .protocol
        }
    }

    static func received(alert number: Int) -> Self {
        switch number {  // names of RFC 8446 §6 that OpenSSL 3.0 lacks
        case 86: return .alertReceived(number, "inappropriate fallback")
        case 109: return .alertReceived(number, "missing extension")
        case 116: return .alertReceived(number, "certificate required")
        default:
            // The string is an OpenSSL constant.
            let name = unsafe SSL_alert_desc_string_long(Int32(number)).map { unsafe String(cString: $0) }
            return .alertReceived(number, name ?? "unknown")
        }
    }

    /// Reasons that mean that the versions do not overlap.
    private static let versionReasons: Set<Int> = Set(
        [
            SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_WRONG_SSL_VERSION, SSL_R_WRONG_VERSION_NUMBER, SSL_R_VERSION_TOO_LOW,
            SSL_R_VERSION_TOO_HIGH, SSL_R_NO_PROTOCOLS_AVAILABLE, SSL_R_UNKNOWN_SSL_VERSION,
            SSL_R_UNSUPPORTED_SSL_VERSION, SSL_R_UNKNOWN_PROTOCOL, SSL_R_BAD_PROTOCOL_VERSION_NUMBER,
            SSL_R_INAPPROPRIATE_FALLBACK,
        ].map(Int.init))

    /// Reasons that mean that there is no common cipher, group or signature algorithm, or one that is too weak.
    private static let cipherReasons: Set<Int> = Set(
        [
            SSL_R_NO_SHARED_CIPHER, SSL_R_WRONG_CIPHER_RETURNED, SSL_R_UNKNOWN_CIPHER_RETURNED,
            SSL_R_NO_CIPHERS_AVAILABLE, SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_NO_SUITABLE_GROUPS, SSL_R_NO_SHARED_GROUPS,
            SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, SSL_R_WRONG_SIGNATURE_TYPE,
            SSL_R_LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED, SSL_R_DH_KEY_TOO_SMALL, SSL_R_EE_KEY_TOO_SMALL,
            SSL_R_CA_KEY_TOO_SMALL, SSL_R_WRONG_CURVE, SSL_R_UNSUPPORTED_ELLIPTIC_CURVE,
        ].map(Int.init))
}

/// OpenSSL's error queue.
///
/// It belongs to the thread, not to a connection: an entry left by other code makes `SSL_get_error` turn "want more"
/// into a failure. So `clear()` is called immediately before every `SSL_*` call except for reads, where it would take
/// too long, and `drain()` after every failure.
@safe package struct ErrorQueue {
    /// One entry.
    struct Entry: Hashable {
        var code: UInt
        var library: Int
        var reason: Int
        var text: String
        /// Whether a function that builds a message for the peer made the entry.
        var isAboutOwnMessage = false

        /// Whether the TLS layer had no reason to give.
        var isInternalError: Bool { library == Int(ERR_LIB_SSL) && reason == Int(ERR_R_INTERNAL_ERROR) }

        /// Whether a library, whichever it is, got no memory.
        var isMemoryExhausted: Bool { reason == Int(ERR_R_MALLOC_FAILURE) }

        /// Whether it states a cause that no peer can bring about: the memory, the system, the source of randomness, or
        /// an algorithm that no provider of this OpenSSL has.
        fileprivate var isOwnCause: Bool {
            switch Int32(library) {
            case ERR_LIB_SYS, ERR_LIB_RAND: true
            case ERR_LIB_EVP where reason == Int(ERR_R_UNSUPPORTED) || reason == Int(ERR_R_FETCH_FAILED): true
            default: isMemoryExhausted
            }
        }
    }

    /// The entries, oldest first.
    let entries: [Entry]

    /// The entry that states the cause: exhausted memory, which the layers above report as something else; else the
    /// first of the TLS layer; else the first.
    var essential: Entry? {
        entries.first(where: \.isMemoryExhausted) ?? entries.first { $0.library == Int(ERR_LIB_SSL) } ?? entries.first
    }

    /// Whether an entry states a cause that no peer can bring about.
    var hasOwnCause: Bool { entries.contains(where: \.isOwnCause) }

    /// Exhausted memory, else the last entry of the TLS layer, else the last: the result of a call that began with
    /// entries of other code.
    var latest: ErrorQueue {
        let latest =
            entries.last(where: \.isMemoryExhausted) ?? entries.last { $0.library == Int(ERR_LIB_SSL) } ?? entries.last
        return ErrorQueue(entries: latest.map { [$0] } ?? [])
    }

    /// All texts, oldest first.
    var text: String {
        entries.isEmpty ? "no reason given" : entries.map(\.text).joined(separator: "; ")
    }

    package static func clear() {
        ERR_clear_error()
    }

    /// Removes every entry from this thread's queue.
    static func drain() -> ErrorQueue {
        var entries: [Entry] = []
        while true {
            var function: UnsafePointer<CChar>?
            // The queue keeps the name until the thread's next errors; it is copied at once.
            let code = unsafe ERR_get_error_all(nil, nil, &function, nil, nil)
            guard code != 0 else { break }
            entries.append(
                Entry(
                    code: UInt(code), library: Int(ERR_GET_LIB(code)), reason: Int(ERR_GET_REASON(code)),
                    text: text(of: code),
                    isAboutOwnMessage: unsafe function.map { unsafe String(cString: $0).hasPrefix("tls_construct_") }
                        ?? false))
        }
        return ErrorQueue(entries: entries)
    }

    /// The entries of this thread's queue, which stay in it: another library reads them too.
    static func peek() -> ErrorQueue {
        let queue = drain()
        for entry in queue.entries { cossl_err_restore(Int32(entry.library), Int32(entry.reason)) }
        return queue
    }

    /// A queue with one entry of the TLS layer, as an alert of the peer makes it.
    static func holding(alert number: Int) -> ErrorQueue {
        let reason = Int(SSL_AD_REASON_OFFSET) + number
        let code = UInt(ERR_LIB_SSL) << UInt(ERR_LIB_OFFSET) | UInt(reason)
        return ErrorQueue(entries: [
            Entry(code: code, library: Int(ERR_LIB_SSL), reason: reason, text: text(of: code))
        ])
    }

    /// Whether the peer's bytes ended in the middle of the protocol, which a session without a socket never sees.
    var isEndOfInput: Bool {
        essential.map { $0.library == Int(ERR_LIB_SSL) && $0.reason == Int(SSL_R_UNEXPECTED_EOF_WHILE_READING) }
            ?? false
    }

    private static func text(of code: UInt) -> String {
        // "error:0A00010B:SSL routines::wrong version number": the last field is the readable part. The buffer is ours.
        let whole = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            unsafe ERR_error_string_n(code, buffer.baseAddress, buffer.count)
            return unsafe String(cString: buffer.baseAddress!)
        }
        return whole.split(separator: ":").last.map(String.init) ?? whole
    }
}
