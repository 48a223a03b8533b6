internal import COpenSSL

/// Fills the store of trusted certificates of an `SSL_CTX`.
@safe package struct TrustStore {
    /// Owned by the `SSL_CTX`, which outlives this value.
    private let store: OpaquePointer

    init(_ store: OpaquePointer) {
        unsafe self.store = unsafe store
    }

    /// Any certificate of the store ends a chain, whether it signed itself or not.
    func acceptPartialChains() {
        unsafe X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
    }

    /// Adds the certificates that the configuration trusts.
    ///
    /// - Throws: `TLSError.Fault.configuration` when there is no certificate to trust, or one cannot be read.
    package func add(_ trust: TLSConfiguration.Trust) throws(TLSError) -> TrustReport {
        switch trust {
        case .system:
            return try addSystem(.current())
        case .file(let path):
            let origin = "the CA file “\(path)”"
            return try add(PEMFile.contents(of: path, origin: origin), path: path, origin: origin)
        case .contents(let pem, let path):
            return try add(pem, path: path, origin: "the CA file “\(path)”")
        case .directory(let path):
            return try add(folder: path)
        case .pem(let pem):
            return try add(pem, path: nil, origin: "the PEM text of trusted certificates")
        }
    }

    private func add(_ pem: [UInt8], path: String?, origin: String) throws(TLSError) -> TrustReport {
        let count = try addAll(pem, origin: origin)
        guard count > 0 else {
            throw .configuration(
                "\(TLSError.capitalized(origin)) \(pem.isEmpty ? "is empty" : "holds no PEM certificate").",
                operation: "trust")
        }
        var report = TrustReport()
        report.add(count, at: path)
        return report
    }

    /// Adds the certificates of all files of a folder.
    private func add(folder: String) throws(TLSError) -> TrustReport {
        guard let names = SystemTrustLocations.visibleNames(in: folder) else {
            throw .configuration("The CA folder “\(folder)” cannot be read.", operation: "trust")
        }
        let before = unsafe cossl_store_count(store)
        for name in names.sorted() {
            let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
            let origin = "the file “\(path)” of the CA folder"
            guard SystemTrustLocations.isRegularFile(path) else { continue }
            _ = try addAll(PEMFile.contents(of: path, origin: origin), origin: origin)
        }
        let count = unsafe cossl_store_count(store) - before
        guard count > 0 else {
            throw .configuration(
                "The CA folder “\(folder)” holds no file with a PEM certificate.", operation: "trust")
        }
        var report = TrustReport()
        report.add(Int(count), at: folder)
        return report
    }

    /// Adds every certificate of a text; returns how many the store did not hold before.
    private func addAll(_ pem: [UInt8], origin: String) throws(TLSError) -> Int {
        var reader = try PEMReader(pem)
        let before = unsafe cossl_store_count(store)
        defer { label(origin) }
        while let certificate = try reader.nextCertificate(of: origin) {
            // The store adds its own reference.
            guard unsafe X509_STORE_add_cert(store, certificate.pointer) == 1 else {
                throw .draining("X509_STORE_add_cert")
            }
        }
        return unsafe Int(cossl_store_count(store) - before)
    }

    /// Adds the system's certificates.
    ///
    /// An environment variable replaces its built-in place, as in OpenSSL. Only if neither is set, and the built-in
    /// places hold nothing, the well-known ones are tried: a user's choice is never extended silently.
    ///
    /// - Throws: `TLSError.Fault.configuration` with the places tried, when none holds a certificate.
    func addSystem(_ locations: SystemTrustLocations) throws(TLSError) -> TrustReport {
        var search = Search()
        add(file: locations.environmentFile ?? locations.builtInFile, &search)
        add(folders: SystemTrustLocations.folders(locations.environmentFolders ?? locations.builtInFolders), &search)
        if search.found.sources.isEmpty, locations.environmentFile == nil, locations.environmentFolders == nil {
            for known in locations.knownFiles where search.found.sources.isEmpty { add(file: known, &search) }
            if search.found.sources.isEmpty { add(folders: locations.knownFolders, &search) }
        }
        guard search.found.sources.isEmpty else { return search.found }
        throw .configuration(
            "The system has no trusted certificates; tried \(search.tried.joined(separator: ", ")). "
                + "Install the package ca-certificates, or name a CA file.", operation: "trust")
    }

    /// The search for the system's certificates: the places, and their content.
    private struct Search {
        var tried: [String] = []
        var found = TrustReport()
    }

    private func add(file: String, _ search: inout Search) {
        guard !file.isEmpty, !search.tried.contains(where: file.isExactly) else { return }
        search.tried.append(file)
        let before = unsafe cossl_store_count(store)
        // A return of 1 means that at least one certificate was added.
        if unsafe X509_STORE_load_file(store, file) == 1 {
            search.found.add(unsafe Int(cossl_store_count(store) - before), at: file)
            label("the file “\(file)”")
        }
        ErrorQueue.clear()
    }

    private func add(folders: [String], _ search: inout Search) {
        for folder in folders where !search.tried.contains(where: folder.isExactly) {
            search.tried.append(folder)
            let count = SystemTrustLocations.hashedCertificateCount(in: folder)
            guard count > 0 else { continue }
            if unsafe X509_STORE_load_path(store, folder) == 1 { search.found.add(count, at: folder) }
            ErrorQueue.clear()
        }
    }

    // MARK: - Where a certificate is from

    /// Labels the certificates that were added last with their origin: as the local key id, which only PKCS #12 uses.
    private func label(_ origin: String) {
        let bytes = Array(origin.utf8)
        // The list holds its own references to the certificates of the store; the id is copied.
        let all = unsafe X509_STORE_get1_all_certs(store)
        defer { unsafe cossl_x509_free_all(all) }
        for index in 0..<(unsafe cossl_x509_count(all)) {
            let certificate = unsafe cossl_x509_at(all, index)
            if unsafe Self.label(of: certificate) == nil {
                _ = unsafe X509_keyid_set1(certificate, bytes, Int32(bytes.count))
            }
        }
    }

    private static func label(of certificate: OpaquePointer?) -> String? {
        var count: Int32 = 0
        // Belongs to the certificate; copied at once.
        guard let start = unsafe X509_keyid_get0(certificate, &count) else { return nil }
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: Int(count)), as: UTF8.self)
    }

    /// The file that holds a trusted certificate: read files label their certificates, and a file that OpenSSL reads
    /// from a folder is named by its hash.
    static func place(of certificate: OpaquePointer?, _ trust: TrustReport?) -> String? {
        guard let certificate = unsafe certificate else { return nil }
        if let label = unsafe label(of: certificate) { return label }
        let name = unsafe OwnedCertificate.hashedName(of: certificate)
        let folder = trust?.sources.compactMap(\.path).first { SystemTrustLocations.isRegularFile("\($0)/\(name)") }
        return folder.map { "the folder “\($0)”" }
    }
}

/// Finds the issuer of a certificate among the trusted ones.
///
/// OpenSSL accepts a trusted certificate of the right name even if it has expired, and then ignores those that the peer
/// sent. One old certificate in a CA file would break every chain that its renewed version completes. So an expired
/// certificate, or one that is not valid yet, is not used as an issuer; among several of the name, the issuer's key
/// must verify the signature. Nothing is accepted that OpenSSL would refuse: it still checks the whole chain.
@unsafe struct TrustedIssuer {
    /// The verification that needs an issuer; alive during the call.
    let context: OpaquePointer
    /// The certificate to verify; belongs to the verification.
    let certificate: OpaquePointer

    /// A reference to the issuer, which the caller owns; nil if there is none.
    func find() -> OpaquePointer? {
        var isKnown = false
        if let issuer = unsafe find(&isKnown) { return unsafe issuer }
        guard isKnown, unsafe readFolders() else { return nil }
        return unsafe find(&isKnown)
    }

    /// Reads the certificates of the issuer's name from the folders; false if that adds nothing.
    ///
    /// OpenSSL does this for unknown names only, and the name of an expired certificate is known.
    private func readFolders() -> Bool {
        // The store lives as long as the verification, and the folders' reader as long as the store.
        let store = unsafe X509_STORE_CTX_get0_store(context)
        guard let folders = unsafe X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir()),
            let object = unsafe X509_OBJECT_new()
        else { return false }
        let before = unsafe cossl_store_count(store)
        if unsafe X509_LOOKUP_by_subject(folders, X509_LU_X509, X509_get_issuer_name(certificate), object) > 0 {
            // What was found is borrowed, and freeing the object releases a reference.
            unsafe X509_OBJECT_up_ref_count(object)
        }
        unsafe X509_OBJECT_free(object)
        return unsafe cossl_store_count(store) > before
    }

    private func find(_ isKnown: inout Bool) -> OpaquePointer? {
        let candidates = unsafe X509_STORE_CTX_get1_certs(context, X509_get_issuer_name(certificate))
        // The list holds its own references; what is returned gets one more.
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
        // OpenSSL's own check of names and key identifiers.
        guard let check = unsafe X509_STORE_CTX_get_check_issued(context),
            unsafe check(context, certificate, candidate) == 1
        else { return false }
        return unsafe X509_cmp_timeframe(
            X509_STORE_CTX_get0_param(context), X509_get0_notBefore(candidate), X509_get0_notAfter(candidate)) == 0
    }
}

/// OpenSSL's request for a trusted issuer: 1 passes on a reference, 0 means that there is none.
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
