/// A question to the system: the addresses of a name in one family.
package struct LookupQuestion: Hashable, Sendable {
    package let host: String
    package let port: UInt16
    package let family: AddressFamily
}

/// Which questions wait for a thread, which have one, and who asked them.
///
///     asked ─▶ waiting ─▶ running ──────────────▶ ended
///                 │          └─▶ abandoned ────────┘     abandoned: all askers gave up
///                 └─▶ forgotten
///
/// `getaddrinfo` cannot be interrupted. A thread whose askers have all given up counts as stuck and no longer occupies
/// a place; otherwise four names without an answer would block every other look-up. A stuck thread costs memory, so
/// their number has a limit. Beyond the limit abandoned threads occupy places like any other, and waiting questions end
/// with the deadlines of their askers.
///
/// Pure: a job is a number, an asker is the number of its resolution.
struct LookupQueue {
    /// Four names at a time, with one question for each family.
    static let maxThreadCount = 8
    /// How many additional threads may be stuck.
    static let maxAbandonedCount = 32
    /// How many threads one question may have: a name that is always stuck, and asked for repeatedly, would otherwise
    /// take all places. It is more than one because a later attempt may succeed.
    static let maxThreadsPerQuestion = 2

    struct Job: Equatable {
        let id: UInt64
        let question: LookupQuestion
    }

    /// Oldest first; each question once, whatever the number of its askers. `ConnectLimiter` keeps the askers few.
    private var waiting: [(question: LookupQuestion, askers: Set<UInt64>)] = []
    /// Questions with a thread. They accept no further askers, because the thread may be stuck.
    private var running: [UInt64: (question: LookupQuestion, askers: Set<UInt64>)] = [:]
    private var lastJob: UInt64 = 0

    /// Threads that have not returned yet, including stuck ones.
    var threadCount: Int { running.count }
    /// Running threads without an asker.
    var abandonedCount: Int { running.values.count { $0.askers.isEmpty } }
    /// Questions without a thread.
    var waitingCount: Int { waiting.count }
    var hasWaiting: Bool { !waiting.isEmpty }

    mutating func asked(_ question: LookupQuestion, by asker: UInt64) {
        if let index = waiting.firstIndex(where: { $0.question == question }) {
            waiting[index].askers.insert(asker)
        } else {
            waiting.append((question, [asker]))
        }
    }

    /// An asker gave up, or has its answers.
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

    /// Takes the next question that may have a thread now, and counts its thread as running.
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

    /// A thread returned.
    ///
    /// - Returns: its askers, in the order in which they asked.
    mutating func ended(_ job: UInt64) -> [UInt64] {
        running.removeValue(forKey: job)?.askers.sorted() ?? []
    }

    /// Whether the question still waits for a thread.
    func isWaiting(_ question: LookupQuestion, by asker: UInt64) -> Bool {
        waiting.contains { $0.question == question && $0.askers.contains(asker) }
    }
}
