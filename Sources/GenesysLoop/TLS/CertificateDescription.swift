internal import COpenSSL

/// Describes a certificate in the sentences about its faults.
///
/// What the peer wrote into the certificate is made printable and truncated.
@unsafe struct CertificateDescription {
    /// Borrowed; nil if a fault does not belong to a certificate.
    let pointer: OpaquePointer?
    private let depth: Int

    init(_ pointer: OpaquePointer?, depth: Int) {
        unsafe self.pointer = unsafe pointer
        unsafe self.depth = depth
    }

    /// The common name, or the whole distinguished name.
    var subject: String { unsafe Self.name(X509_get_subject_name(pointer)) }
    var issuer: String { unsafe Self.name(X509_get_issuer_name(pointer)) }

    /// "the server's certificate" or "its issuer “Example CA”".
    var label: String {
        unsafe depth == 0 ? "the server's certificate “\(subject)”" : "the issuer certificate “\(subject)”"
    }

    /// Its names and dates.
    var summary: CertificateSummary {
        unsafe CertificateSummary(
            subject: subject, issuer: issuer, notBefore: Self.time(X509_get0_notBefore(pointer)),
            notAfter: Self.time(X509_get0_notAfter(pointer)))
    }

    /// What a verification code says about this certificate.
    ///
    /// - Parameter place: the file or folder that holds a trusted certificate, where it must be replaced.
    func sentence(_ code: Int32, _ fault: CertificateFault, host: String?, place: String?) -> String {
        // The string is an OpenSSL constant.
        let plain =
            unsafe X509_verify_cert_error_string(Int(code)).map { unsafe String(cString: $0) } ?? "error \(code)"
        guard unsafe pointer != nil else { return plain }
        let held = place.map { ", which \($0) holds," } ?? ""
        switch fault {
        case .selfSigned:
            return unsafe "\(label) is self-signed and not in the trust store"
        case .unknownIssuer where code == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
            return unsafe "the chain ends in “\(subject)”, a root that is not in the trust store"
        case .unknownIssuer:
            return
                unsafe "\(label) was issued by “\(issuer)”, which is neither in the trust store nor sent by the server"
        case .badSignature:
            return unsafe "the signature of \(label) does not verify"
        case .notAuthority:
            return unsafe "\(label) signed a certificate, but is no certificate authority"
        case .pathTooLong:
            return unsafe "\(label) permits fewer authorities below it than the chain has"
        case .nameNotPermitted:
            return unsafe "\(label) is for \(names), which one of its issuers may not certify"
        case .wrongPurpose:
            return unsafe "\(label) must not be used for a server"
        case .hostMismatch:
            return unsafe "the server's certificate is for \(names), not for “\(host ?? "")”"
        case .weakKey:
            return unsafe "the key of \(label) is too weak (\(bits) bits)"
        case .weakSignature:
            return unsafe "\(label) is signed with a weak algorithm (\(signatureAlgorithm))"
        case .expired:
            return unsafe "\(label)\(held) expired on \(Self.date(X509_get0_notAfter(pointer)))"
        case .notYetValid:
            return unsafe "\(label)\(held) is not valid before \(Self.date(X509_get0_notBefore(pointer)))"
        case .pinMismatch, .other:
            return unsafe "\(plain), at \(label)"
        }
    }

    /// The pin of its key; nil for a key that cannot be encoded.
    var pin: PublicKeyPin? {
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        var encoded: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_X509_PUBKEY(X509_get_X509_PUBKEY(pointer), &encoded)
        // The call allocated it for us.
        defer { unsafe CRYPTO_free(encoded, #file, #line) }
        guard count > 0, unsafe SHA256(encoded, Int(count), &digest) != nil else { return nil }
        return PublicKeyPin(sha256: digest)
    }

    private var bits: Int { unsafe Int(EVP_PKEY_get_bits(X509_get0_pubkey(pointer))) }

    private var signatureAlgorithm: String {
        // The string is an OpenSSL constant.
        unsafe OBJ_nid2ln(X509_get_signature_nid(pointer)).map { unsafe String(cString: $0) } ?? "unknown"
    }

    /// The first few entries of the subjectAltName that can name a host.
    private var names: String {
        let entries = unsafe X509_get_ext_d2i(pointer, NID_subject_alt_name, nil, nil).map { OpaquePointer($0) }
        // The list is ours; its entries live as long as the list.
        defer { unsafe GENERAL_NAMES_free(entries) }
        var found: [String] = []
        for index in unsafe 0..<cossl_general_name_count(entries) {
            var type: Int32 = 0
            guard let value = unsafe GENERAL_NAME_get0_value(cossl_general_name_at(entries, index), &type) else {
                continue
            }
            let string = unsafe value.assumingMemoryBound(to: ASN1_STRING.self)
            if type == GEN_DNS {
                found.append(unsafe "“\(Self.printable(Self.bytes(of: string)))”")
            } else if type == GEN_IPADD {
                found.append(unsafe Self.address(Self.bytes(of: string)))
            }
        }
        if found.isEmpty { return "no host at all (it has no subjectAltName, and its common name does not count)" }
        return found.prefix(4).joined(separator: ", ") + (found.count > 4 ? " and \(found.count - 4) more" : "")
    }

    private static func bytes(of string: UnsafePointer<ASN1_STRING>) -> [UInt8] {
        let start = unsafe ASN1_STRING_get0_data(string)
        return unsafe [UInt8](UnsafeBufferPointer(start: start, count: Int(ASN1_STRING_length(string))))
    }

    private static func name(_ name: OpaquePointer?) -> String {
        guard let name = unsafe name else { return "" }
        let index = unsafe X509_NAME_get_index_by_NID(name, NID_commonName, -1)
        if index >= 0, let value = unsafe X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index)) {
            return unsafe printable(bytes(of: value))
        }
        let line = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
            // Truncated to the buffer, which is ours, and always terminated.
            unsafe X509_NAME_oneline(name, buffer.baseAddress, Int32(buffer.count)).map {
                unsafe Array(String(cString: $0).utf8)
            }
        }
        return unsafe printable(line ?? [])
    }

    private static func printable(_ bytes: [UInt8]) -> String {
        var text = ""
        for scalar in String(decoding: bytes.prefix(256), as: UTF8.self).unicodeScalars.prefix(64) {
            let isVisible = scalar.value >= 0x20 && scalar.properties.generalCategory != .control
            text.unicodeScalars.append(isVisible && scalar.properties.generalCategory != .format ? scalar : "?")
        }
        return text
    }

    private static func address(_ bytes: [UInt8]) -> String {
        guard bytes.count == 16 else { return bytes.map { String($0) }.joined(separator: ".") }
        return stride(from: 0, to: 16, by: 2)
            .map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }.joined(separator: ":")
    }

    /// Nil for an unreadable time.
    private static func time(_ time: UnsafePointer<ASN1_TIME>?) -> WallTime? {
        let epoch = unsafe ASN1_TIME_set(nil, 0)
        // The epoch is ours; the time belongs to the certificate.
        defer { unsafe ASN1_TIME_free(epoch) }
        var (days, seconds): (Int32, Int32) = (0, 0)
        guard unsafe ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else { return nil }
        return WallTime(seconds: Int64(days) * 86_400 + Int64(seconds))
    }

    /// "2026-11-23 20:31:00 UTC".
    private static func date(_ time: UnsafePointer<ASN1_TIME>?) -> String {
        guard let general = unsafe ASN1_TIME_to_generalizedtime(time, nil) else { return "an unreadable date" }
        // The converted time is ours.
        defer { unsafe ASN1_GENERALIZEDTIME_free(general) }
        let digits = unsafe bytes(of: general).prefix { $0 >= 0x30 && $0 <= 0x39 }.map { String(UnicodeScalar($0)) }
        guard digits.count >= 14 else { return "an unreadable date" }
        let field = { (range: Range<Int>) in digits[range].joined() }
        return
            "\(field(0..<4))-\(field(4..<6))-\(field(6..<8)) \(field(8..<10)):\(field(10..<12)):\(field(12..<14)) UTC"
    }
}
