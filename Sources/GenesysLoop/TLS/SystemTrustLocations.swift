internal import COpenSSL

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Where the system's trusted certificates may be.
@safe struct SystemTrustLocations: Hashable {
    /// What `SSL_CERT_FILE` says, if it is set.
    var environmentFile: String?
    /// What `SSL_CERT_DIR` says (folders separated by colons), if it is set.
    var environmentFolders: String?
    /// The file OpenSSL was built to use.
    var builtInFile: String
    /// The folders OpenSSL was built to use, separated by colons.
    var builtInFolders: String
    /// Files of the well-known distributions.
    var knownFiles: [String]
    /// Folders of the well-known distributions.
    var knownFolders: [String]

    /// The places of this system.
    static func current() -> SystemTrustLocations {
        // All strings are constants of OpenSSL's.
        let (file, folders) = unsafe (X509_get_default_cert_file(), X509_get_default_cert_dir())
        let (fileName, foldersName) = unsafe (X509_get_default_cert_file_env(), X509_get_default_cert_dir_env())
        return SystemTrustLocations(
            environmentFile: unsafe environment(fileName), environmentFolders: unsafe environment(foldersName),
            builtInFile: unsafe file.map { unsafe String(cString: $0) } ?? "",
            builtInFolders: unsafe folders.map { unsafe String(cString: $0) } ?? "",
            knownFiles: [
                "/etc/ssl/certs/ca-certificates.crt",  // Debian, Ubuntu, Alpine, Arch
                "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // Fedora, RHEL
                "/etc/pki/tls/certs/ca-bundle.crt",  // older Fedora and RHEL, Amazon Linux
                "/etc/ssl/ca-bundle.pem",  // openSUSE
                "/etc/ssl/cert.pem",  // macOS, Alpine, the BSDs
                "/opt/homebrew/etc/openssl@3/cert.pem",
                "/usr/local/etc/openssl@3/cert.pem",
            ],
            knownFolders: ["/etc/ssl/certs", "/etc/pki/tls/certs"])
    }

    private static func environment(_ name: UnsafePointer<CChar>?) -> String? {
        // The value is copied at once; an empty variable counts as unset.
        guard let name = unsafe name, let value = unsafe getenv(name), unsafe value[0] != 0 else { return nil }
        return unsafe String(cString: value)
    }

    /// Whether the folder holds certificates named by the hash of their subject (`1d3472b9.0`), as `openssl rehash` and
    /// `c_rehash` make them.
    ///
    /// OpenSSL reads those one by one, when it needs them.
    static func holdsHashedCertificates(_ folder: String) -> Bool {
        guard let stream = unsafe opendir(folder) else { return false }
        // The stream, and each entry of it, lives until closedir.
        defer { unsafe closedir(stream) }
        while let entry = unsafe readdir(stream) {
            let isHashed = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { name in
                unsafe name.count > 9 && name[8] == UInt8(ascii: ".") && isDigit(name[9])
                    && name[..<8].allSatisfy { isDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) }
            }
            if isHashed { return true }
        }
        return false
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
