internal import COpenSSL

/// Fills the store of trusted certificates of an `SSL_CTX`.
@safe struct TrustStore {
    /// Owned by the `SSL_CTX`, which outlives this value.
    private let store: OpaquePointer

    /// A bundle is a few hundred KiB; more than this is not one.
    static let maxFileByteCount = 16 * 1_048_576

    init(_ store: OpaquePointer) {
        unsafe self.store = unsafe store
    }

    /// Adds what the configuration trusts.
    ///
    /// - Throws: `TLSError.Fault.configuration` when there is no certificate to trust, or one cannot be read.
    func add(_ trust: TLSConfiguration.Trust) throws(TLSError) {
        switch trust {
        case .system:
            try addSystem(.current())
        case .file(let path):
            try addAll(Self.contents(of: path), origin: "the CA file “\(path)”")
        case .pem(let pem):
            try addAll(pem, origin: "the PEM text of trusted certificates")
        }
    }

    private func addAll(_ pem: [UInt8], origin: String) throws(TLSError) {
        let subject = origin.prefix(1).uppercased() + origin.dropFirst()
        guard pem.count <= Self.maxFileByteCount else {
            let limit = Self.maxFileByteCount / 1_048_576
            throw .configuration("\(subject) exceeds the limit of \(limit) MiB.", operation: "trust")
        }
        var reader = try PEMReader(pem)
        var count = 0
        while let certificate = try reader.nextCertificate(of: origin) {
            // The store takes a reference of its own.
            guard unsafe X509_STORE_add_cert(store, certificate.pointer) == 1 else {
                throw .draining("X509_STORE_add_cert")
            }
            count += 1
        }
        guard count > 0 else {
            throw .configuration(
                "\(subject) \(pem.isEmpty ? "is empty" : "holds no PEM certificate").", operation: "trust")
        }
    }

    private static func contents(of path: String) throws(TLSError) -> [UInt8] {
        ErrorQueue.clear()
        guard let file = OwnedBIO(path: path), let contents = file.readAll(maxByteCount: maxFileByteCount) else {
            let reason = ErrorQueue.drain().entries.first?.text ?? "unknown error"
            throw .configuration("The CA file “\(path)” cannot be read: \(reason).", operation: "trust")
        }
        return contents
    }

    /// Adds the system's certificates.
    ///
    /// The environment's variables replace the built-in place each, as in OpenSSL. Only when neither is set, and the
    /// built-in places hold nothing, are the well-known ones tried: what a user chose is never widened silently.
    ///
    /// - Throws: `TLSError.Fault.configuration` with the places tried, when none holds a certificate.
    func addSystem(_ locations: SystemTrustLocations) throws(TLSError) {
        var tried: [String] = []
        let file = locations.environmentFile ?? locations.builtInFile
        let folders = (locations.environmentFolders ?? locations.builtInFolders).split(separator: ":").map(String.init)
        let hasFile = add(file: file, &tried)
        let hasFolders = add(folders: folders, &tried)
        if hasFile || hasFolders { return }
        if locations.environmentFile == nil && locations.environmentFolders == nil {
            for known in locations.knownFiles where add(file: known, &tried) { return }
            if add(folders: locations.knownFolders, &tried) { return }
        }
        throw .configuration(
            "The system has no trusted certificates; tried \(tried.joined(separator: ", ")). "
                + "Install the package ca-certificates, or name a CA file.", operation: "trust")
    }

    private func add(file: String, _ tried: inout [String]) -> Bool {
        guard !file.isEmpty, !tried.contains(file) else { return false }
        tried.append(file)
        // A return of 1 means that at least one certificate was added.
        let isLoaded = unsafe X509_STORE_load_file(store, file) == 1
        ErrorQueue.clear()
        return isLoaded
    }

    private func add(folders: [String], _ tried: inout [String]) -> Bool {
        var found = false
        for folder in folders where !tried.contains(folder) {
            tried.append(folder)
            guard SystemTrustLocations.holdsHashedCertificates(folder) else { continue }
            if unsafe X509_STORE_load_path(store, folder) == 1 { found = true }
            ErrorQueue.clear()
        }
        return found
    }
}
