internal import COpenSSL

/// Finds every fault of a chain that OpenSSL has refused.
///
/// OpenSSL stops at the first fault, which may not be the most useful one. The diagnosis verifies a refused chain once
/// more and goes on after each fault. Where no issuer was found, it also accepts expired issuers of the trust store
/// (`TrustedIssuer`), so that it can name them. The second verification never decides: the chain stays refused.
@unsafe struct CertificateDiagnosis {
    /// The verification that refused the chain; alive during `run`.
    private let refused: OpaquePointer
    private let host: String?
    /// Where the trusted certificates were found; nil if unknown.
    private let trust: TrustReport?
    private var takesExpiredIssuers = false
    fileprivate var findings: [CertificateFinding] = []

    /// Verifies the chain of a handshake, and that it holds a pinned key if there are any.
    ///
    /// - Returns: the fault to report, whose code is the context's error then; nil for a verified chain.
    static func verify(
        _ context: OpaquePointer, pins: Set<PublicKeyPin>, host: String?, trust: TrustReport?
    ) -> CertificateFinding? {
        let isVerified = unsafe X509_verify_cert(context) == 1
        // The context is alive during the call.
        let finding = unsafe isVerified ? mismatch(of: pins, in: context) : run(context, host: host, trust: trust)
        // OpenSSL derives the alert for the peer from this code.
        if let finding { unsafe X509_STORE_CTX_set_error(context, Int32(finding.code)) }
        return finding
    }

    /// Returns the fault to report.
    ///
    /// Call only after `X509_verify_cert` has refused the chain of this context.
    private static func run(_ refused: OpaquePointer, host: String?, trust: TrustReport?) -> CertificateFinding {
        var diagnosis = unsafe CertificateDiagnosis(refused: refused, host: host, trust: trust)
        unsafe diagnosis.record(refused)
        let first = unsafe diagnosis.findings[0]
        if first.fault == .unknownIssuer || first.fault == .selfSigned {
            // The walk finds it again unless an expired issuer explains it.
            unsafe diagnosis.takesExpiredIssuers = true
            unsafe diagnosis.findings = []
        }
        // The pointer is valid during the closure, and the second verification ends within it.
        unsafe withUnsafeMutablePointer(to: &diagnosis) { unsafe walk(refused, $0) }
        ErrorQueue.clear()
        var best = unsafe diagnosis.findings.first ?? first
        for finding in unsafe diagnosis.findings.dropFirst() where finding.precedes(best) {
            best = finding
        }
        return best
    }

    /// Whether a verification is the second walk of a diagnosis that accepts expired issuers.
    static func takesExpiredIssuers(_ context: OpaquePointer) -> Bool {
        // The diagnosis lives during its walk; a handshake's verification has none.
        guard let diagnosis = unsafe X509_STORE_CTX_get_ex_data(context, 0) else { return false }
        return unsafe diagnosis.assumingMemoryBound(to: CertificateDiagnosis.self).pointee.takesExpiredIssuers
    }

    /// The finding for a verified chain that holds no pinned key; nil if it holds one, or if no key is pinned.
    private static func mismatch(of pins: Set<PublicKeyPin>, in verified: OpaquePointer) -> CertificateFinding? {
        if pins.isEmpty { return nil }
        // The chain belongs to the context.
        let chain = unsafe X509_STORE_CTX_get0_chain(verified)
        for index in unsafe 0..<cossl_x509_count(chain) {
            let pin = unsafe CertificateDescription(cossl_x509_at(chain, index), depth: Int(index)).pin
            if let pin, pins.contains(pin) { return nil }
        }
        let leaf = unsafe CertificateDescription(X509_STORE_CTX_get0_cert(verified), depth: 0)
        let shown = unsafe leaf.pin.map { ", whose own key is \($0)" } ?? ""
        let text = unsafe "none of the pinned keys is in the chain of \(leaf.label)\(shown)"
        return CertificateFinding(
            fault: .pinMismatch, depth: 0, code: Int(X509_V_ERR_APPLICATION_VERIFICATION), text: text)
    }

    private init(refused: OpaquePointer, host: String?, trust: TrustReport?) {
        unsafe self.refused = unsafe refused
        unsafe self.host = host
        unsafe self.trust = trust
    }

    private static func walk(_ refused: OpaquePointer, _ diagnosis: UnsafeMutablePointer<CertificateDiagnosis>) {
        guard let context = unsafe X509_STORE_CTX_new() else { return }
        // Everything the new context borrows (store, certificates) belongs to the refused one, which lives longer.
        defer { unsafe X509_STORE_CTX_free(context) }
        guard
            unsafe X509_STORE_CTX_init(
                context, X509_STORE_CTX_get0_store(refused), X509_STORE_CTX_get0_cert(refused),
                X509_STORE_CTX_get0_untrusted(refused)) == 1,
            unsafe X509_VERIFY_PARAM_set1(
                X509_STORE_CTX_get0_param(context), X509_STORE_CTX_get0_param(refused)) == 1
        else { return }
        unsafe X509_STORE_CTX_set_ex_data(context, 0, diagnosis)
        unsafe X509_STORE_CTX_set_verify_cb(context, recordAndGoOnCallback)
        unsafe X509_verify_cert(context)
    }

    /// Records the current error of a verification.
    fileprivate mutating func record(_ context: OpaquePointer) {
        var code = unsafe X509_STORE_CTX_get_error(context)
        if code == X509_V_OK { code = X509_V_ERR_UNSPECIFIED }
        let depth = unsafe Int(X509_STORE_CTX_get_error_depth(context))
        let certificate = unsafe CertificateDescription(X509_STORE_CTX_get_current_cert(context), depth: depth)
        var fault = CertificateFault(verificationCode: code)
        // The certificates that the peer sent come first in the chain.
        let isTrusted = unsafe depth >= X509_STORE_CTX_get_num_untrusted(context)
        let place = unsafe isTrusted ? TrustStore.place(of: certificate.pointer, trust) : nil
        var text = unsafe certificate.sentence(code, fault, host: host, place: place)
        if fault == .unknownIssuer, let signer = unsafe signerWithoutAuthority(of: certificate) {
            fault = .notAuthority
            code = X509_V_ERR_KEYUSAGE_NO_CERTSIGN
            text = unsafe "\(certificate.label) is signed by “\(signer)”, which is no certificate authority"
        }
        unsafe findings.append(CertificateFinding(fault: fault, depth: depth, code: Int(code), text: text))
    }

    /// The name of a certificate that signed this one, but must not sign certificates.
    ///
    /// OpenSSL does not consider such a certificate as an issuer, and reports that there is no issuer.
    private func signerWithoutAuthority(of certificate: CertificateDescription) -> String? {
        guard let signed = unsafe certificate.pointer else { return nil }
        let trusted = unsafe X509_STORE_get1_all_certs(X509_STORE_CTX_get0_store(refused))
        // The list holds its own references; the candidates from `refused` are borrowed from it.
        defer { unsafe cossl_x509_free_all(trusted) }
        return unsafe Self.signerWithoutAuthority(of: signed, among: X509_STORE_CTX_get0_untrusted(refused))
            ?? Self.signerWithoutAuthority(of: signed, among: trusted)
    }

    private static func signerWithoutAuthority(of signed: OpaquePointer, among list: OpaquePointer?) -> String? {
        for index in 0..<(unsafe cossl_x509_count(list)) {
            let candidate = unsafe cossl_x509_at(list, index)
            let isSigner =
                unsafe X509_check_issued(candidate, signed) == X509_V_ERR_KEYUSAGE_NO_CERTSIGN
                && X509_verify(signed, X509_get0_pubkey(candidate)) == 1
            if isSigner { return unsafe CertificateDescription(candidate, depth: 0).subject }
        }
        return nil
    }
}

/// Verifies a peer's chain for the handshake: OpenSSL decides, the diagnosis explains.
///
/// The context belongs to OpenSSL and lives during the call; the block belongs to the session.
func verifyChainCallback(_ context: OpaquePointer?, _ argument: UnsafeMutableRawPointer?) -> Int32 {
    guard let context = unsafe context else { return 0 }
    let ssl = unsafe X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx())
    let block = unsafe SessionBIO.block(of: ssl.flatMap { unsafe SSL_get_rbio(OpaquePointer($0)) })
    let finding = unsafe CertificateDiagnosis.verify(
        context, pins: block?.pointee.context.configuration?.pins ?? [], host: block?.pointee.peer?.host,
        trust: block?.pointee.context.trust)
    guard var finding else {
        unsafe block?.pointee.verifiedAt = ResumableSession.now
        // No caller reads the verified chain: what the peer sent stays with the session.
        unsafe X509_STORE_CTX_set0_verified_chain(context, nil)
        return 1
    }
    finding.chain = unsafe CertificateSummary.all(of: X509_STORE_CTX_get0_untrusted(context))
    unsafe block?.pointee.finding = Boxed(finding)
    return 0
}

/// The diagnosis lives during the walk that calls this.
private func recordAndGoOnCallback(_ isFine: Int32, _ context: OpaquePointer?) -> Int32 {
    if isFine == 0, let context = unsafe context, let data = unsafe X509_STORE_CTX_get_ex_data(context, 0) {
        unsafe data.assumingMemoryBound(to: CertificateDiagnosis.self).pointee.record(context)
    }
    return 1
}
