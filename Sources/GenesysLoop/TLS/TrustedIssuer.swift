internal import COpenSSL

/// Finds the issuer of a certificate among the trusted ones.
///
/// OpenSSL takes a trusted certificate of the right name even if it has expired, and then does not look at those that
/// the peer sent. One old certificate in a CA file would spoil every chain that its renewed version completes. So an
/// expired certificate, or one that is not valid yet, is no issuer; nor is one whose key does not verify the signature
/// where several have the name. Nothing is accepted that OpenSSL would refuse: it still checks the whole chain.
@unsafe struct TrustedIssuer {
    /// The verification that asks; alive during the call.
    let context: OpaquePointer
    /// What is to be verified; belongs to the verification.
    let certificate: OpaquePointer

    /// A reference to the issuer, which the caller owns; nil where there is none.
    func find() -> OpaquePointer? {
        var isKnown = false
        if let issuer = unsafe find(&isKnown) { return unsafe issuer }
        guard isKnown, unsafe readFolders() else { return nil }
        return unsafe find(&isKnown)
    }

    /// Reads what the folders hold of the issuer's name; false where that is nothing new.
    ///
    /// OpenSSL does so for names that it does not know, and the name of an expired certificate is known.
    private func readFolders() -> Bool {
        // The store lives as long as the verification, and the folders' reader as long as the store.
        let store = unsafe X509_STORE_CTX_get0_store(context)
        guard let folders = unsafe X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir()),
            let object = unsafe X509_OBJECT_new()
        else { return false }
        let before = unsafe cossl_store_count(store)
        if unsafe X509_LOOKUP_by_subject(folders, X509_LU_X509, X509_get_issuer_name(certificate), object) > 0 {
            // What was found is lent, and freeing the object releases a reference.
            unsafe X509_OBJECT_up_ref_count(object)
        }
        unsafe X509_OBJECT_free(object)
        return unsafe cossl_store_count(store) > before
    }

    private func find(_ isKnown: inout Bool) -> OpaquePointer? {
        let candidates = unsafe X509_STORE_CTX_get1_certs(context, X509_get_issuer_name(certificate))
        // The list holds references of its own; what is returned gets one more.
        defer { unsafe cossl_x509_free_all(candidates) }
        let count = unsafe cossl_x509_count(candidates)
        isKnown = count > 0
        var chosen: OpaquePointer?
        for index in 0..<count {
            guard let candidate = unsafe cossl_x509_at(candidates, index), unsafe isUsable(candidate) else { continue }
            if unsafe chosen == nil { unsafe chosen = unsafe candidate }
            guard count > 1, unsafe X509_verify(certificate, X509_get0_pubkey(candidate)) != 1 else {
                unsafe chosen = unsafe candidate
                break
            }
        }
        if count > 1 { ErrorQueue.clear() }
        guard let chosen = unsafe chosen, unsafe X509_up_ref(chosen) == 1 else { return nil }
        return unsafe chosen
    }

    private func isUsable(_ candidate: OpaquePointer) -> Bool {
        // OpenSSL's own judgment of names and key identifiers.
        guard let check = unsafe X509_STORE_CTX_get_check_issued(context),
            unsafe check(context, certificate, candidate) == 1
        else { return false }
        return unsafe X509_cmp_timeframe(
            X509_STORE_CTX_get0_param(context), X509_get0_notBefore(candidate), X509_get0_notAfter(candidate)) == 0
    }
}

/// OpenSSL's question for a trusted issuer: 1 gives away a reference, 0 means that there is none.
///
/// All pointers live during the call.
func trustedIssuerCallback(
    _ issuer: UnsafeMutablePointer<OpaquePointer?>?, _ context: OpaquePointer?, _ certificate: OpaquePointer?
) -> Int32 {
    guard let issuer = unsafe issuer, let context = unsafe context, let certificate = unsafe certificate else {
        return 0
    }
    if unsafe CertificateDiagnosis.takesExpiredIssuers(context) {
        return unsafe X509_STORE_CTX_get1_issuer(issuer, context, certificate)
    }
    unsafe issuer.pointee = unsafe TrustedIssuer(context: context, certificate: certificate).find()
    return unsafe issuer.pointee == nil ? 0 : 1
}
