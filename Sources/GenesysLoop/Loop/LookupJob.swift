/// What a resolver thread works on.
///
/// It holds the mailbox, so that a stuck thread keeps no loop alive.
final class LookupJob: Sendable {
    /// Its number in the `LookupQueue`.
    let id: UInt64
    let question: LookupQuestion
    let lookup: Resolver.Lookup
    let mailbox: Mailbox

    init(id: UInt64, question: LookupQuestion, lookup: @escaping Resolver.Lookup, mailbox: Mailbox) {
        self.id = id
        self.question = question
        self.lookup = lookup
        self.mailbox = mailbox
    }

    func run() {
        var result = lookup(question)
        if case .success(let addresses) = result {
            let fitting = addresses.filter { $0.family == question.family }
            result = fitting.isEmpty ? .failure(.noSuchName("the name has no address")) : .success(fitting)
        }
        mailbox.post(.resolved(job: id, question.family, result))
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
