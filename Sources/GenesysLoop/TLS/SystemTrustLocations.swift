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
        // All strings are OpenSSL constants.
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
        // The value is copied at once; a variable with only white space counts as unset.
        guard let name = unsafe name, let value = unsafe getenv(name) else { return nil }
        let text = unsafe WhiteSpace.trimmed(String(cString: value))
        return text.isEmpty ? nil : text
    }

    /// The folders of a list: between colons or line ends, without the white space around them.
    static func folders(_ list: String) -> [String] {
        list.split { $0 == ":" || $0.isNewline }.map { WhiteSpace.trimmed(String($0)) }.filter { !$0.isEmpty }
    }

    /// How many certificates of a folder are named by the hash of their subject (`1d3472b9.0`), as `openssl rehash` and
    /// `c_rehash` name them.
    ///
    /// OpenSSL reads those one by one, when it needs them.
    static func hashedCertificateCount(in folder: String) -> Int {
        visibleNames(in: folder)?.count(where: isHashed) ?? 0
    }

    private static func isHashed(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        return bytes.count > 9 && bytes[8] == UInt8(ascii: ".") && isDigit(bytes[9])
            && bytes[..<8].allSatisfy { isDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) }
    }

    /// The names in a folder that do not begin with a dot; nil if it is not a folder, or cannot be read.
    static func visibleNames(in folder: String) -> [String]? {
        guard let stream = unsafe opendir(folder) else { return nil }
        // The stream, and each entry of it, lives until closedir.
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { start in
                unsafe start.withMemoryRebound(to: CChar.self, capacity: 1) { unsafe String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }

    /// Whether a path names a file that can be read to its end, directly or through a link; false for a folder or a
    /// pipe.
    static func isRegularFile(_ path: String) -> Bool {
        // Filled by the call before it is read; the path is a C string for its length.
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
