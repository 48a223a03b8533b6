/// What is asked of the system: the addresses that a name has in one family.
package struct LookupQuestion: Hashable, Sendable {
    package let host: String
    package let port: UInt16
    package let family: AddressFamily
}

/// Which questions wait for a thread, which have one, and who wants to know.
///
///     asked ─▶ waiting ─▶ running ──────────────▶ ended
///                 │          └─▶ abandoned ────────┘     abandoned: nobody wants to know any more
///                 └─▶ forgotten
///
/// `getaddrinfo` cannot be interrupted, so a thread whose askers have all given up is taken to be stuck: it no longer
/// occupies one of the places, so that four names without an answer do not keep every other one from being looked up.
/// That has a limit too, since a stuck thread costs memory; beyond it the abandoned ones occupy places like any other,
/// and what waits is left to the deadlines of those who asked.
///
/// Pure: a job is a number, an asker is the number of its resolution.
struct LookupQueue {
    /// Four names at a time, each of which is a question for each family.
    static let maxThreadCount = 8
    /// How many more threads may be stuck.
    static let maxAbandonedCount = 32
    /// How many threads one question may have: a name that is always stuck, and asked for again and again, would
    /// otherwise take all places in the end. More than one, since what a new one meets may have changed.
    static let maxThreadsPerQuestion = 2

    struct Job: Equatable {
        let id: UInt64
        let question: LookupQuestion
    }

    /// Oldest first; each question once, however many ask it. Those who ask are what `ConnectLimiter` lets in: few.
    private var waiting: [(question: LookupQuestion, askers: Set<UInt64>)] = []
    /// What has a thread takes nobody in any more, since it may be stuck.
    private var running: [UInt64: (question: LookupQuestion, askers: Set<UInt64>)] = [:]
    private var lastJob: UInt64 = 0

    /// Threads that have not returned yet, stuck ones included.
    var threadCount: Int { running.count }
    /// Those of them that nobody waits for.
    var abandonedCount: Int { running.values.count { $0.askers.isEmpty } }
    var hasWaiting: Bool { !waiting.isEmpty }

    mutating func asked(_ question: LookupQuestion, by asker: UInt64) {
        if let index = waiting.firstIndex(where: { $0.question == question }) {
            waiting[index].askers.insert(asker)
        } else {
            waiting.append((question, [asker]))
        }
    }

    /// An asker gave up, or has heard all it wanted.
    mutating func withdrawn(_ question: LookupQuestion, by asker: UInt64) {
        if let index = waiting.firstIndex(where: { $0.question == question }),
            waiting[index].askers.remove(asker) != nil
        {
            if waiting[index].askers.isEmpty { waiting.remove(at: index) }
            return
        }
        for (id, job) in running where job.question == question && job.askers.contains(asker) {
            running[id]?.askers.remove(asker)
        }
    }

    /// The next question that may have a thread now; it has it when this returns.
    mutating func next() -> Job? {
        let occupied = threadCount - min(abandonedCount, LookupQueue.maxAbandonedCount)
        guard occupied < LookupQueue.maxThreadCount else { return nil }
        let index = waiting.firstIndex { each in
            running.values.count { $0.question == each.question } < LookupQueue.maxThreadsPerQuestion
        }
        guard let index else { return nil }
        let (question, askers) = waiting.remove(at: index)
        lastJob += 1
        running[lastJob] = (question, askers)
        return Job(id: lastJob, question: question)
    }

    /// A thread returned: who waits for it, in the order in which they asked.
    mutating func ended(_ job: UInt64) -> [UInt64] {
        running.removeValue(forKey: job)?.askers.sorted() ?? []
    }

    /// Whether the question still waits for a thread.
    func isWaiting(_ question: LookupQuestion, by asker: UInt64) -> Bool {
        waiting.contains { $0.question == question && $0.askers.contains(asker) }
    }
}
