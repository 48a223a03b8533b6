internal import CUV

/// Looks names up on detached threads of its own, at most four at a time; more look-ups wait their turn.
///
/// `getaddrinfo` can neither be interrupted nor trusted to end. So its threads belong to nobody: they hold the mailbox,
/// never the loop, and an answer nobody waits for is dropped. (libuv's own thread pool would be blocked by them, and
/// its requests keep a loop from being closed.)
///
/// Addresses come in the order of `getaddrinfo` (RFC 6724), with `AI_ADDRCONFIG`: without an IPv6 address of its own
/// the host is not offered IPv6 addresses.
@safe package final class Resolver {
    /// What a thread calls; blocks for as long as it likes.
    ///
    /// Replaced by tests.
    package typealias Lookup = @Sendable (_ host: String, _ port: UInt16) -> Result<[SocketAddress], ResolverError>

    /// The look-up from now on.
    package var lookup: Lookup = Resolver.systemLookup

    /// Threads that have not returned yet, stuck ones included.
    package private(set) var threadCount = 0

    package static let maxThreadCount = 4

    /// Owned by the loop, so never without it.
    private unowned(unsafe) let loop: EventLoop
    private var lastID: UInt64 = 0
    // Unretained: a resolution takes itself out (`forget`) before it dies.
    private var underWay: [UInt64: Unmanaged<Resolution>] = unsafe [:]
    private struct Question: Hashable {
        let host: String
        let port: UInt16
    }

    /// What waits for a thread, oldest first, from `head` on.
    private var queue: [Question] = []
    private var head = 0
    /// Who asked what waits: a thousand channels of one host ask once. What has its thread takes nobody in any more,
    /// since it may be stuck.
    private var askers: [Question: [UInt64]] = [:]

    init(loop: EventLoop) {
        unsafe self.loop = loop
    }

    /// Starts looking `host` up.
    ///
    /// The answer comes in a later pass, for numeric addresses too (without a thread).
    ///
    /// - Returns: the request; drop or cancel it to hear nothing more.
    /// - Precondition: called on the loop's thread.
    package func resolve(_ host: String, port: UInt16, owner: any ResolutionOwner) -> Resolution {
        let loop = unsafe self.loop
        loop.preconditionCurrent("Resolver.resolve")
        lastID += 1
        let resolution = Resolution(host: host, port: port, id: lastID, loop: loop, owner: owner)
        if let address = SocketAddress(numeric: host, port: port) {
            resolution.answerLater(.success([address]))
        } else if host.isEmpty || host.utf8.count > 253 || host.utf8.contains(0) {
            // RFC 1035 §2.3.4 limits a name to 253 characters.
            resolution.answerLater(.failure(.noSuchName("not a host name")))
        } else {
            unsafe underWay[lastID] = Unmanaged.passUnretained(resolution)
            let question = Question(host: host, port: port)
            if askers[question] == nil { queue.append(question) }
            askers[question, default: []].append(lastID)
            startThreads()
        }
        return resolution
    }

    /// The resolution ended; its thread, if it has one, goes on for nobody.
    func forget(_ id: UInt64) {
        unsafe underWay[id] = nil
    }

    /// A thread returned.
    func lookupDidEnd(_ askers: [UInt64], _ result: Result<[SocketAddress], ResolverError>) {
        threadCount -= 1
        startThreads()
        for id in askers {
            // Still listed, so alive; the strong local keeps it so for the call.
            unsafe underWay[id]?.takeUnretainedValue().answer(result)
        }
    }

    /// The next look-up that somebody still waits for.
    private func nextJob() -> LookupJob? {
        while head < queue.count {
            let question = queue[head]
            head += 1
            let waiting = (askers.removeValue(forKey: question) ?? []).filter { unsafe underWay[$0] != nil }
            guard !waiting.isEmpty else { continue }
            return LookupJob(
                askers: waiting, host: question.host, port: question.port, lookup: lookup,
                mailbox: unsafe loop.mailbox)
        }
        queue = []
        head = 0
        return nil
    }

    private func startThreads() {
        while threadCount < Self.maxThreadCount, let job = nextJob() {
            // Given back by the thread, or here when there is none.
            let argument = unsafe Unmanaged.passRetained(job)
            let code = unsafe cuv_start_detached_thread(lookupThread, argument.toOpaque())
            guard code == 0 else {
                unsafe argument.release()
                let error = UVError(operation: "resolve", code: code)
                let failure = ResolverError(code: code, text: error.text, isNoSuchName: false)
                for id in job.askers { unsafe underWay[id]?.takeUnretainedValue().answerLater(.failure(failure)) }
                continue
            }
            threadCount += 1
        }
    }

    /// Asks the system.
    package static let systemLookup: Lookup = { host, port in
        var addresses: [SocketAddress] = []
        var failure: ResolverError?
        // The buffer and the counters live for the call.
        unsafe withUnsafeTemporaryAllocation(of: cuv_address.self, capacity: 64) { buffer in
            guard let base = buffer.baseAddress else { return }
            var count: Int32 = 0
            var system: Int32 = 0
            let code = unsafe host.withCString { name in
                unsafe cuv_resolve(name, port, base, Int32(buffer.count), &count, &system)
            }
            guard code == 0 else {
                let text = unsafe String(cString: cuv_resolve_text(code, system))
                failure = ResolverError(code: code, text: text, isNoSuchName: cuv_is_no_such_name(code) != 0)
                return
            }
            for index in 0..<Int(count) { unsafe addresses.append(SocketAddress(buffer[index])) }
        }
        if let failure { return .failure(failure) }
        return addresses.isEmpty ? .failure(.noSuchName("the name has no address")) : .success(addresses)
    }
}
