/// What a resolver thread works on.
///
/// It holds the mailbox, so that a stuck thread keeps no loop alive.
final class LookupJob: Sendable {
    /// The resolutions that wait for it.
    let askers: [UInt64]
    let host: String
    let port: UInt16
    let lookup: Resolver.Lookup
    let mailbox: Mailbox

    init(askers: [UInt64], host: String, port: UInt16, lookup: @escaping Resolver.Lookup, mailbox: Mailbox) {
        self.askers = askers
        self.host = host
        self.port = port
        self.lookup = lookup
        self.mailbox = mailbox
    }

    func run() {
        mailbox.post(.resolved(askers: askers, lookup(host, port)))
    }
}

#if canImport(Darwin)
func lookupThread(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    unsafe runLookup(argument)
}
#else
func lookupThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument = unsafe argument else { return nil }
    return unsafe runLookup(argument)
}
#endif

/// The argument is a job that was retained for this thread.
private func runLookup(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    let job = unsafe Unmanaged<LookupJob>.fromOpaque(argument).takeRetainedValue()
    job.run()
    return nil
}
