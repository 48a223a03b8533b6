internal import COpenSSL

/// The OpenSSL that the process has loaded.
package enum TLSLibrary {
    /// Its version, for example "3.0.19".
    package static var version: String {
        // A constant of OpenSSL.
        unsafe OpenSSL_version(OPENSSL_VERSION_STRING).map { unsafe String(cString: $0) } ?? ""
    }
}
