import GenesysLoop
import ServerKit

/// A client's and a server's TLS session in memory, and somebody between them.
///
/// Input: a byte of settings, then steps: the two sides go on, write and close; the one between them changes, cuts,
/// repeats, reorders, drops and adds what they send. Whatever he does, what comes out on one side is a prefix of what
/// went in on the other, and an error is a final one that blames the peer.
enum TLSOracle {
    private static let maxStepCount = 60

    static func complaint(about input: [UInt8]) -> String? {
        guard let contexts = unsafe TLSContexts.shared else { return "the certificates cannot be made" }
        var source = FuzzInput(input)
        let flags = source.byte()
        do throws(TLSError) {
            var run = try TLSRun(contexts, isOlder: flags & 1 == 1, bufferByteCount: flags & 2 == 0 ? 16_384 : 100)
            if flags & 4 == 0 { run.settle() }
            var stepCount = 0
            while !source.isExhausted, stepCount < maxStepCount {
                run.step(&source)
                stepCount += 1
            }
            run.settle()
            return run.complaint
        } catch {
            return "no session: \(error)"
        }
    }
}

/// What all runs share, because making keys takes longer than a run.
@safe struct TLSContexts {
    let client: TLSContext
    let server: TLSContext
    /// A server that speaks TLS 1.2 only.
    let olderServer: TLSContext

    /// Never changed once it is made, so that any thread may make sessions of it.
    nonisolated(unsafe) static let shared: TLSContexts? = try? TLSContexts()

    private init() throws(TLSError) {
        let authority = try CertificateAuthority()
        let identity = try authority.issue()
        var configuration = TLSConfiguration(trust: .pem(authority.certificatePEM))
        // A kept session would change the contexts, and an input would depend on those before it.
        configuration.resumesSessions = false
        client = try TLSContext(client: configuration)
        server = try TLSContext(server: identity.chainPEM, keyPEM: identity.keyPEM)
        olderServer = try TLSContext(
            server: identity.chainPEM, keyPEM: identity.keyPEM, options: .init(maximumVersion: 0x0303))
    }
}
