import GenesysLoop
import ServerKit

/// A client's and a server's TLS session in memory, and an attacker between them.
///
/// Input: a byte of settings, then steps: the two sides continue, write and close; the attacker changes, cuts, repeats,
/// reorders, drops and adds ciphertext. In every case the output of one side is a prefix of the input of the other, and
/// an error is a final one that blames the peer.
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

/// Shared by all runs, because making keys takes longer than a run.
@safe struct TLSContexts {
    let client: TLSContext
    let server: TLSContext
    /// A server that speaks TLS 1.2 only.
    let olderServer: TLSContext

    /// Never changed after its creation, so that any thread may make sessions of it.
    nonisolated(unsafe) static let shared: TLSContexts? = try? TLSContexts()

    private init() throws(TLSError) {
        let authority = try CertificateAuthority()
        let identity = try authority.issue()
        var configuration = TLSConfiguration(trust: .pem(authority.certificatePEM))
        // A kept session would change the contexts, and an input would depend on earlier ones.
        configuration.resumesSessions = false
        client = try TLSContext(client: configuration)
        server = try TLSContext(server: identity.chainPEM, keyPEM: identity.keyPEM)
        olderServer = try TLSContext(
            server: identity.chainPEM, keyPEM: identity.keyPEM, options: .init(maximumVersion: 0x0303))
    }
}
