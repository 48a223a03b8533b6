internal import COpenSSL

/// One thing that is wrong with a peer's chain.
struct CertificateFinding: Hashable, Sendable {
    var fault: CertificateFault
    /// 0 is the peer's own certificate, 1 its issuer and so on.
    var depth: Int
    /// OpenSSL's X.509 verification code.
    var code: Int
    /// In words.
    var text: String

    /// Whether this one is reported rather than the other (the order of `CertificateFault`).
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
