internal import CUV

/// Looks up names on its own detached threads, four names at a time; further look-ups wait (`LookupQueue`).
///
/// `getaddrinfo` cannot be interrupted and may never return. So its threads hold the mailbox, never the loop, and an
/// answer without an asker is dropped. In libuv's thread pool such look-ups would block all others, and their requests
/// would keep a loop from being closed.
///
/// The families are looked up separately, so that neither waits for the other (RFC 8305 §3). Within a family, addresses
/// keep the order of `getaddrinfo` (RFC 6724).
@safe package final class Resolver {
    /// The function that a thread calls. It may block. Addresses of another family are ignored.
    ///
    /// Replaced by tests.
    package typealias Lookup = @Sendable (LookupQuestion) -> Result<[SocketAddress], ResolverError>

    /// The function for the look-ups that follow.
    package var lookup: Lookup = Resolver.systemLookup

    /// Threads that have not returned yet, including stuck ones.
    package var threadCount: Int { queue.threadCount }
    /// Questions that wait for a thread.
    package var queuedCount: Int { queue.waitingCount }
    /// Threads whose askers have all given up.
    package var abandonedCount: Int { queue.abandonedCount }

    /// Owned by the loop, which therefore outlives it.
    private unowned(unsafe) let loop: UVLoop
    private var lastID: UInt64 = 0
    // Unretained: a resolution removes itself (`forget`) before it is destroyed.
    private var underWay: [UInt64: Unmanaged<Resolution>] = unsafe [:]
    private var queue = LookupQueue()
    private let threadStart: ThreadStart

    init(loop: UVLoop) {
        unsafe self.loop = loop
        threadStart = ThreadStart(loop)
    }

    /// Starts to look up `host`.
    ///
    /// The answers come in later passes, also for numeric addresses, which need no thread.
    ///
    /// - Returns: the request; drop or cancel it to get no answer.
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

    /// The zone in a text that is a numeric address apart from it; no interface has that name.
    private static func unknownZone(of host: String) -> String? {
        guard let percent = host.firstIndex(of: "%"),
            SocketAddress(numeric: String(host[..<percent]), port: 0)?.isIPv6 == true
        else { return nil }
        return String(host[host.index(after: percent)...])
    }

    /// The resolution needs no more answers. Its threads go on without an asker.
    func forget(_ resolution: Resolution) {
        guard unsafe underWay.removeValue(forKey: resolution.id) != nil else { return }
        for family in AddressFamily.allCases { queue.withdrawn(resolution.question(family), by: resolution.id) }
        // In a task, so that a look-up that is canceled next does not get the free place.
        if queue.hasWaiting { unsafe loop.schedule(threadStart) }
    }

    /// Whether the look-up waits for a thread, rather than for the system.
    func isQueued(_ resolution: Resolution) -> Bool {
        AddressFamily.allCases.contains { queue.isWaiting(resolution.question($0), by: resolution.id) }
    }

    /// A thread returned.
    func lookupDidEnd(_ job: UInt64, _ family: AddressFamily, _ result: Result<[SocketAddress], ResolverError>) {
        let askers = queue.ended(job)
        startThreads()
        for id in askers {
            // It is in the list and therefore alive; the strong local keeps it alive for the call.
            unsafe underWay[id]?.takeUnretainedValue().answer(result, from: family)
        }
    }

    /// Starts threads for waiting questions, up to the limit.
    fileprivate func startThreads() {
        while let job = queue.next() {
            let work = LookupJob(id: job.id, question: job.question, lookup: lookup, mailbox: unsafe loop.mailbox)
            // Released by the thread, or here if no thread starts.
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

/// Gives free places to waiting questions.
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

/// The work of a resolver thread.
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
