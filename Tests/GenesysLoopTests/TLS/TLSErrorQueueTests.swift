internal import COpenSSL
import Testing

@testable import GenesysLoop

/// The side that the entries of OpenSSL's error queue blame, if the essential entry alone does not tell.
@Suite struct TLSErrorQueueTests {
    /// One entry: the library, the reason, and the function that raised it.
    struct Raised: Sendable, CustomTestStringConvertible {
        var library: Int32
        var reason: Int32
        var function: String

        init(_ library: Int32, _ reason: some BinaryInteger, in function: String = "f") {
            (self.library, self.reason, self.function) = (library, Int32(reason), function)
        }

        var testDescription: String { "\(library):\(reason & 0xFFFF) in \(function)" }

        func raise() {
            ERR_new()
            // OpenSSL copies the name; without a format it reads no arguments.
            unsafe ERR_set_debug("", 0, function)
            unsafe withVaList([]) { unsafe ERR_vset_error(library, reason, nil, $0) }
        }
    }

    /// The error of a call that left these entries.
    private func error(
        _ entries: [Raised], hasTakenInput: Bool = true, isEstablished: Bool = true, ofRead: Bool = false
    ) -> TLSError {
        ErrorQueue.clear()
        for entry in entries { entry.raise() }
        let queue = ErrorQueue.drain()
        return TLSError(
            "SSL_f", ofRead ? queue.latest : queue,
            TLSError.Circumstances(looksLikeTLS: true, isEstablished: isEstablished, hasTakenInput: hasTakenInput))
    }

    @Test(arguments: [
        [Raised(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR)],
        [Raised(ERR_LIB_PROV, 108), Raised(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR)],  // invalid AAD
        [Raised(ERR_LIB_EC, EC_R_POINT_IS_NOT_ON_CURVE), Raised(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR)],
    ])
    func `an internal error that the peer's bytes led to is the peer's`(entries: [Raised]) {
        for isEstablished in [false, true] {
            let error = error(entries, isEstablished: isEstablished)
            #expect(error.fault == .protocol)
            #expect(error.description.contains("OpenSSL cannot process what it sent ("))
            #expect(error.text.contains("internal error"))
        }
    }

    @Test(arguments: [ERR_LIB_SYS, ERR_LIB_RAND])
    func `an internal error after a failure of the system is ours`(library: Int32) {
        let error = error([Raised(library, 5), Raised(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR)])
        #expect(error.fault == .internal)
        #expect(error.description.hasPrefix("OpenSSL failed in SSL_f: "))
    }

    @Test(arguments: [ERR_R_UNSUPPORTED, ERR_R_FETCH_FAILED])
    func `an internal error because no provider has the algorithm is ours`(reason: Int) {
        #expect(
            error([Raised(ERR_LIB_EVP, reason), Raised(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR)]).fault == .internal)
    }

    @Test func `an internal error in a call that took nothing from the peer is ours`() {
        let entries = [Raised(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR)]
        #expect(error(entries, hasTakenInput: false).fault == .internal)
    }

    @Test func `an internal error about a message of our own is ours`() {
        let entries = [Raised(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR, in: "tls_construct_cert_verify")]
        #expect(error(entries).fault == .internal)
    }

    @Test(arguments: [ERR_LIB_SSL, ERR_LIB_EC, ERR_LIB_CRYPTO], [false, true])
    func `exhausted memory is ours, whatever the layers above make of it`(library: Int32, ofRead: Bool) {
        for reason in [Int(ERR_R_INTERNAL_ERROR), Int(ERR_R_EVP_LIB), Int(SSL_R_BAD_KEY_SHARE)] {
            let error = error(
                [Raised(library, ERR_R_MALLOC_FAILURE), Raised(ERR_LIB_SSL, reason)], ofRead: ofRead)
            #expect(error.fault == .internal)
            #expect(error.text.contains("malloc failure"))
        }
    }

    @Test(arguments: [
        ERR_R_PASSED_NULL_PARAMETER, ERR_R_SHOULD_NOT_HAVE_BEEN_CALLED, ERR_R_DISABLED, ERR_R_INIT_FAIL,
    ])
    func `an incorrect use of OpenSSL is ours`(reason: Int) {
        #expect(error([Raised(ERR_LIB_SSL, reason)]).fault == .internal)
    }

    @Test func `what others left before a read is not its cause`() {
        let read = error(
            [Raised(ERR_LIB_SYS, 2), Raised(ERR_LIB_RAND, 5), Raised(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR)], ofRead: true)
        #expect(read.fault == .protocol)
        #expect(read.text == "OpenSSL cannot process what it sent (internal error)")
    }
}
