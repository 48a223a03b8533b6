internal import CUV

/// Looks names up on detached threads of its own, four names at a time; more look-ups wait their turn (`LookupQueue`).
///
/// `getaddrinfo` can neither be interrupted nor trusted to end. So its threads belong to nobody: they hold the mailbox,
/// never the loop, and an answer nobody waits for is dropped. (libuv's own thread pool would be blocked by them, and
/// its requests keep a loop from being closed.)
///
/// The families are asked for separately, so that neither waits for the other (RFC 8305 §3); within one, addresses come
/// in the order of `getaddrinfo` (RFC 6724).
@safe package final class Resolver {
    /// What a thread calls; blocks for as long as it likes. Addresses of another family than asked for are ignored.
    ///
    /// Replaced by tests.
    package typealias Lookup = @Sendable (LookupQuestion) -> Result<[SocketAddress], ResolverError>

    /// The look-up from now on.
    package var lookup: Lookup = Resolver.systemLookup

    /// Threads that have not returned yet, stuck ones included.
    package var threadCount: Int { queue.threadCount }
    /// Threads that nobody waits for any more.
    package var abandonedCount: Int { queue.abandonedCount }

    /// Owned by the loop, so never without it.
    private unowned(unsafe) let loop: UVLoop
    private var lastID: UInt64 = 0
    // Unretained: a resolution takes itself out (`forget`) before it dies.
    private var underWay: [UInt64: Unmanaged<Resolution>] = unsafe [:]
    private var queue = LookupQueue()
    private let threadStart: ThreadStart

    init(loop: UVLoop) {
        unsafe self.loop = loop
        threadStart = ThreadStart(loop)
    }

    /// Starts looking `host` up.
    ///
    /// The answers come in later passes, for numeric addresses too (without a thread).
    ///
    /// - Returns: the request; drop or cancel it to hear nothing more.
    /// - Precondition: called on the loop's thread.
    package func resolve(_ host: String, port: UInt16, owner: any ResolutionOwner) -> Resolution {
        let loop = unsafe self.loop
        loop.preconditionCurrent("Resolver.resolve")
        lastID += 1
        let resolution = Resolution(host: host, port: port, id: lastID, loop: loop, owner: owner)
        if let address = SocketAddress(numeric: host, port: port) {
            resolution.answerLater(.success([address]), from: address.family, isAll: true)
        } else if let zone = Resolver.unknownZone(of: host) {
            resolution.answerLater(.failure(.noInterface(zone)), from: .ipv6, isAll: true)
        } else if host.isEmpty || host.utf8.count > 253 || host.utf8.contains(0) {
            // RFC 1035 §2.3.4 limits a name to 253 characters.
            resolution.answerLater(.failure(.noSuchName("not a host name")), from: .ipv4, isAll: true)
        } else {
            unsafe underWay[lastID] = Unmanaged.passUnretained(resolution)
            for family in AddressFamily.allCases { queue.asked(resolution.question(family), by: lastID) }
            startThreads()
        }
        return resolution
    }

    /// The zone of an address that is one without it: no interface is called so.
    private static func unknownZone(of host: String) -> String? {
        guard let percent = host.firstIndex(of: "%"),
            SocketAddress(numeric: String(host[..<percent]), port: 0)?.isIPv6 == true
        else { return nil }
        return String(host[host.index(after: percent)...])
    }

    /// The resolution has heard all it wants; its threads, if it has any, go on for nobody.
    func forget(_ resolution: Resolution) {
        guard unsafe underWay.removeValue(forKey: resolution.id) != nil else { return }
        for family in AddressFamily.allCases { queue.withdrawn(resolution.question(family), by: resolution.id) }
        // In a pass: of many that are cancelled together none is to get the place of the one before.
        if queue.hasWaiting { unsafe loop.schedule(threadStart) }
    }

    /// Whether it waits for a thread, rather than for the system.
    func isQueued(_ resolution: Resolution) -> Bool {
        AddressFamily.allCases.contains { queue.isWaiting(resolution.question($0), by: resolution.id) }
    }

    /// A thread returned.
    func lookupDidEnd(_ job: UInt64, _ family: AddressFamily, _ result: Result<[SocketAddress], ResolverError>) {
        let askers = queue.ended(job)
        startThreads()
        for id in askers {
            // Still listed, so alive; the strong local keeps it so for the call.
            unsafe underWay[id]?.takeUnretainedValue().answer(result, from: family)
        }
    }

    /// Gives a thread to what waits, as far as there may be threads.
    fileprivate func startThreads() {
        while let job = queue.next() {
            let work = LookupJob(id: job.id, question: job.question, lookup: lookup, mailbox: unsafe loop.mailbox)
            // Given back by the thread, or here when there is none.
            let argument = unsafe Unmanaged.passRetained(work)
            let code = unsafe cuv_start_detached_thread(lookupThread, argument.toOpaque())
            guard code != 0 else { continue }
            unsafe argument.release()
            let error = UVError(operation: "resolve", code: code)
            let failure = ResolverError(code: code, text: error.text, isNoSuchName: false)
            for id in queue.ended(job.id) {
                unsafe underWay[id]?.takeUnretainedValue().answerLater(.failure(failure), from: job.question.family)
            }
        }
    }

    /// Asks the system.
    package static let systemLookup: Lookup = { question in
        var addresses: [SocketAddress] = []
        var failure: ResolverError?
        // The buffer and the counters live for the call.
        unsafe withUnsafeTemporaryAllocation(of: cuv_address.self, capacity: 64) { buffer in
            guard let base = buffer.baseAddress else { return }
            var count: Int32 = 0
            var system: Int32 = 0
            let code = unsafe question.host.withCString { name in
                unsafe cuv_resolve(
                    name, question.port, question.family == .ipv6 ? 1 : 0, base, Int32(buffer.count), &count, &system)
            }
            guard code == 0 else {
                let text = unsafe String(cString: cuv_resolve_text(code, system))
                failure = ResolverError(code: code, text: text, isNoSuchName: cuv_is_no_such_name(code) != 0)
                return
            }
            for index in 0..<Int(count) { unsafe addresses.append(SocketAddress(buffer[index])) }
        }
        if let failure { return .failure(failure) }
        return .success(addresses)
    }
}

/// Gives places away that became free.
private final class ThreadStart: LoopTask {
    // The loop holds its tasks.
    private unowned(unsafe) let loop: UVLoop

    init(_ loop: UVLoop) {
        unsafe self.loop = loop
    }

    func runTask() {
        unsafe loop.resolver.startThreads()
    }
}

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
