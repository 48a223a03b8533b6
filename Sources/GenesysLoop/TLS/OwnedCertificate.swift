internal import COpenSSL

/// A certificate that is freed with its owner.
@safe struct OwnedCertificate: ~Copyable {
    /// Valid as long as `self`.
    let pointer: OpaquePointer

    /// An empty one.
    init() throws(TLSError) {
        guard let pointer = unsafe X509_new() else { throw .draining("X509_new") }
        unsafe self.pointer = unsafe pointer
    }

    /// Takes over a reference.
    init(taking pointer: OpaquePointer) {
        unsafe self.pointer = unsafe pointer
    }

    /// Reads the first certificate of a PEM text.
    init(pem: [UInt8]) throws(TLSError) {
        var reader = try PEMReader(pem)
        guard let certificate = try reader.nextCertificate(of: "the certificate") else {
            throw .configuration("The certificate is no readable PEM certificate.")
        }
        self = certificate
    }

    deinit {
        unsafe X509_free(pointer)
    }

    /// What OpenSSL names the first file of a trusted certificate: the hash of its subject and `.0`.
    var hashedName: String { unsafe Self.hashedName(of: pointer) }

    /// The same for a certificate that is borrowed for the call.
    static func hashedName(of certificate: OpaquePointer) -> String {
        let digits = unsafe String(X509_subject_name_hash(certificate), radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits + ".0"
    }

    /// Whether the subjectAltName has an address or a name.
    func isValid(for host: String) -> Bool {
        // The text is a C string for each call.
        unsafe X509_check_ip_asc(pointer, host, 0) == 1
            || X509_check_host(pointer, host, host.utf8.count, UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT), nil) == 1
    }

    /// The certificate in PEM.
    func pem() throws(TLSError) -> [UInt8] {
        let target = try OwnedBIO()
        guard unsafe PEM_write_bio_X509(target.pointer, pointer) == 1 else { throw .draining("PEM_write_bio_X509") }
        return target.readAll(maxByteCount: .max - 1) ?? []
    }
}
