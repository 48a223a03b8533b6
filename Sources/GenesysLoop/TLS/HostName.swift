internal import COpenSSL

/// The host that a client connects to, in the terms of TLS.
///
/// A name is sent as SNI and compared with the certificate's DNS entries; an address is never sent, and compared with
/// its IP entries (RFC 6066 §3, RFC 9525 §6).
enum HostName: Hashable {
    /// A DNS name, without a final dot.
    case name(String)
    /// An IPv4 address, or an IPv6 address without brackets.
    case address(String)

    /// - Throws: `TLSError.Fault.configuration` for a host that is neither.
    init(_ host: String) throws(TLSError) {
        if host.contains(":") {
            self = .address(host)
            return
        }
        let name = host.hasSuffix(".") ? host.dropLast() : host[...]
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        let isPlain = name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        if !isPlain, let form = InternationalHost.asciiForm(of: host.utf8) {
            throw .configuration("“\(host.prefix(64))” has to be written as \(form) for a certificate to hold it.")
        }
        guard let last = labels.last, isPlain, !labels.contains(""), name.utf8.count <= 253 else {
            throw .configuration("“\(host.prefix(64))” is no host name that a certificate could hold.")
        }
        guard last.utf8.allSatisfy(Self.isDigit) else {
            self = .name(String(name))
            return
        }
        // A name whose last label is a number is an address, which has only one valid form.
        let isAddress =
            labels.count == 4
            && labels.allSatisfy { label in
                label.utf8.count <= 3 && label.utf8.allSatisfy(Self.isDigit)
                    && UInt8(label).map(String.init) == String(label)
            }
        guard isAddress else { throw .configuration("“\(host.prefix(64))” is no IPv4 address.") }
        self = .address(String(name))
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        byte >= 0x30 && byte <= 0x39
    }

    /// Sets what a peer's certificate must hold, in parameters that are alive during the call.
    func require(in parameters: OpaquePointer?) throws(TLSError) {
        ErrorQueue.clear()
        // OpenSSL copies the strings.
        switch self {
        case .name(let name):
            let flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT
            unsafe X509_VERIFY_PARAM_set_hostflags(parameters, UInt32(flags))
            guard unsafe X509_VERIFY_PARAM_set1_host(parameters, name, name.utf8.count) == 1 else {
                throw .draining("X509_VERIFY_PARAM_set1_host")
            }
        case .address(let address):
            guard unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, address) == 1 else {
                ErrorQueue.clear()
                throw .configuration("“\(address.prefix(64))” is no IP address.")
            }
        }
    }
}
