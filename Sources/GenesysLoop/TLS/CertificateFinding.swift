internal import COpenSSL

/// One fault of a peer's chain.
struct CertificateFinding: Hashable, Sendable {
    var fault: CertificateFault
    /// 0 is the peer's own certificate, 1 its issuer and so on.
    var depth: Int
    /// OpenSSL's X.509 verification code.
    var code: Int
    /// A description of the fault.
    var text: String
    /// The chain as the peer sent it, its own certificate first.
    var chain: [CertificateSummary] = []

    /// Whether this finding is reported before the other (the order of `CertificateFault`).
    func precedes(_ other: CertificateFinding) -> Bool {
        (fault.rank, depth) < (other.fault.rank, other.depth)
    }

    var asFault: TLSError.Fault {
        .certificate(fault, depth: depth, code: code, text: text)
    }
}

extension CertificateFault {
    /// Translates one of OpenSSL's verification codes.
    init(verificationCode code: Int32) {
        switch code {
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
            self = .selfSigned
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
            X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
            X509_V_ERR_CERT_UNTRUSTED, X509_V_ERR_CERT_REJECTED:
            self = .unknownIssuer
        case X509_V_ERR_CERT_SIGNATURE_FAILURE:
            self = .badSignature
        case X509_V_ERR_INVALID_CA, X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
            self = .notAuthority
        case X509_V_ERR_PATH_LENGTH_EXCEEDED:
            self = .pathTooLong
        case X509_V_ERR_PERMITTED_VIOLATION, X509_V_ERR_EXCLUDED_VIOLATION:
            self = .nameNotPermitted
        case X509_V_ERR_INVALID_PURPOSE:
            self = .wrongPurpose
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
            self = .hostMismatch
        case X509_V_ERR_EE_KEY_TOO_SMALL, X509_V_ERR_CA_KEY_TOO_SMALL:
            self = .weakKey
        case X509_V_ERR_CA_MD_TOO_WEAK:
            self = .weakSignature
        case X509_V_ERR_CERT_HAS_EXPIRED:
            self = .expired
        case X509_V_ERR_CERT_NOT_YET_VALID:
            self = .notYetValid
        default:
            self = .other
        }
    }
}

/// The faults of a peer's certificate chain.
///
/// A chain can have several faults. The first one of this order is reported, and among equals the one nearest to the
/// peer's own certificate:
///
/// 1. no trusted issuer (`selfSigned`, `unknownIssuer`): without an issuer, nothing in a certificate is trustworthy;
/// 2. `badSignature`, `notAuthority`, `pathTooLong`, `nameNotPermitted`, `wrongPurpose`: the chain violates its own
///    rules;
/// 3. `hostMismatch`: the certificate is for another host, so its dates do not matter;
/// 4. `weakKey`, `weakSignature`;
/// 5. `expired`, `notYetValid`;
/// 6. `other`;
/// 7. `pinMismatch`, which is only checked in otherwise valid chains.
package enum CertificateFault: String, Hashable, Sendable, CaseIterable {
    /// The peer's certificate is signed by its own key and is not in the trust store.
    case selfSigned
    /// The chain leads to no certificate of the trust store: a private or missing root, or a missing intermediate.
    case unknownIssuer
    /// A signature in the chain does not verify.
    case badSignature
    /// A certificate of the chain was signed by one that is not a certificate authority.
    case notAuthority
    /// A chain has more authorities below an issuer than that issuer permits.
    case pathTooLong
    /// An issuer of the certificate may not certify one of its names.
    case nameNotPermitted
    /// A certificate of the chain must not be used for a server (or, at a server, for a client).
    case wrongPurpose
    /// The subjectAltName entries do not name the host.
    case hostMismatch
    /// A key is too small for security level 2.
    case weakKey
    /// A signature algorithm is too weak for security level 2, SHA-1 for example.
    case weakSignature
    /// A certificate of the chain has expired.
    case expired
    /// A certificate of the chain is not valid yet.
    case notYetValid
    /// No certificate of the chain has a pinned key.
    case pinMismatch
    /// Any other X.509 error; see the code and the text.
    case other

    /// The rank in the order of the type's documentation; the smallest rank is reported first.
    package var rank: Int {
        switch self {
        case .selfSigned, .unknownIssuer: 1
        case .badSignature: 2
        case .notAuthority, .pathTooLong, .nameNotPermitted: 3
        case .wrongPurpose: 4
        case .hostMismatch: 5
        case .weakKey, .weakSignature: 6
        case .expired, .notYetValid: 7
        case .other: 8
        case .pinMismatch: 9
        }
    }
}
