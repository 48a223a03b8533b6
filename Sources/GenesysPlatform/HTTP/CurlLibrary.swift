internal import CCurl
internal import GenesysLoop
internal import Logging

/// libcurl as it is loaded: whether it can be used, and what is known to be wrong with its version.
///
/// It is initialized at the first use and never cleaned up: the host may use it too.
struct CurlLibrary: Sendable {
    /// A version of libcurl.
    struct Version: Comparable, CustomStringConvertible, Sendable {
        let major: UInt8
        let minor: UInt8
        let patch: UInt8

        init(_ major: UInt8, _ minor: UInt8, _ patch: UInt8) {
            (self.major, self.minor, self.patch) = (major, minor, patch)
        }

        /// - Parameter number: as libcurl has it, 24 bits.
        init(number: UInt32) {
            self.init(
                UInt8(truncatingIfNeeded: number >> 16), UInt8(truncatingIfNeeded: number >> 8),
                UInt8(truncatingIfNeeded: number))
        }

        static func < (left: Version, right: Version) -> Bool {
            (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
        }

        var description: String { "\(major).\(minor).\(patch)" }
    }

    /// Its certificate cache can be turned off from this version on.
    static let oldest = Version(7, 87, 0)

    let version: Version
    /// The name and the version of its TLS library.
    let tls: String

    /// Why it cannot be used, as a sentence; nil if it can.
    ///
    /// - Parameter ownTLS: the version of OpenSSL that the library itself uses.
    func refusal(ownTLS: String) -> String? {
        guard version >= CurlLibrary.oldest else {
            return "libcurl \(version) is too old: \(CurlLibrary.oldest) or later is needed."
        }
        // Several TLS libraries may be listed, those that are not used in parentheses.
        let used = tls.split(separator: " ").first { !$0.hasPrefix("(") } ?? ""
        guard used == "OpenSSL/\(ownTLS)" else {
            let found = used.isEmpty ? "no TLS" : String(used)
            return "libcurl was built with \(found), and OpenSSL/\(ownTLS) is needed, which this program uses. "
                + "On Debian it is the package libcurl4, with Homebrew curl."
        }
        return nil
    }

    /// A warning about a version with a grave fault; nil for the others.
    var warning: String? {
        let fault: String
        switch version {
        case Version(8, 9, 0): fault = "a connection that ends keeps the processor busy (curl issue 14280)"
        case Version(8, 9, 1): fault = "a connection that breaks may end the process with SIGPIPE (curl issue 14296)"
        case Version(8, 10, 0): fault = "it may crash when a client is closed (curl issue 14860)"
        case Version(8, 21, 0): fault = "it leaves sockets open (curl issue 22306)"
        default: return nil
        }
        return "libcurl \(version) has a known fault: \(fault). Use another version."
    }

    /// The library of this process, initialized; or the code of its failure.
    private static let loaded: Result<CurlLibrary, HTTPFailure> = {
        let code = ccurl_initialize()
        guard code == CURLE_OK, let found = unsafe ccurl_version() else {
            return .failure(.unusableLibrary("libcurl cannot be initialized (code \(code.rawValue))."))
        }
        // libcurl's record is constant.
        return .success(
            CurlLibrary(
                version: Version(number: UInt32(unsafe found.pointee.version_num)),
                tls: unsafe found.pointee.ssl_version.map { unsafe String(cString: $0) } ?? ""))
    }()

    /// Whether the warning about the version was logged, in this process.
    private static let hasWarned = Locked(false)

    /// Initializes libcurl, at the first call, and checks that it can be used.
    static func check(logger: Logger) throws(HTTPFailure) {
        let library = try loaded.get()
        if let sentence = library.refusal(ownTLS: TLSLibrary.version) { throw .unusableLibrary(sentence) }
        guard let warning = library.warning else { return }
        let isFirst = hasWarned.withLock { hasWarned in
            defer { hasWarned = true }
            return !hasWarned
        }
        if isFirst { logger.warning("\(warning)") }
    }
}
