import Testing

@testable import GenesysLoop

/// Which question gets a thread, and when.
struct LookupQueueTests {
    private func question(_ host: String, _ family: AddressFamily = .ipv4) -> LookupQuestion {
        LookupQuestion(host: host, port: 443, family: family)
    }

    /// A queue in which this many questions are running and no caller waits for any of them.
    private func stuck(_ count: Int) -> LookupQueue {
        var queue = LookupQueue()
        for number in 0..<count {
            let asked = question("stuck\(number)")
            queue.asked(asked, by: 1)
            #expect(queue.next()?.question == asked)
            queue.withdrawn(asked, by: 1)
        }
        return queue
    }

    @Test func `questions get threads in the order in which they were asked, eight at a time`() {
        var queue = LookupQueue()
        for number in 0..<10 { queue.asked(question("\(number)"), by: UInt64(number)) }
        let jobs = (0..<8).compactMap { _ in queue.next() }
        #expect(jobs.map(\.question.host) == (0..<8).map(String.init))
        #expect(queue.next() == nil)
        #expect(queue.isWaiting(question("8"), by: 8))
        #expect(queue.ended(jobs[3].id) == [3])
        #expect(queue.next()?.question.host == "8")
        #expect(queue.next() == nil)
        #expect(queue.threadCount == 8)
    }

    @Test func `those who ask the same before it has a thread share one, those who ask later do not`() throws {
        var queue = LookupQueue()
        for asker in [3, 1, 2] as [UInt64] { queue.asked(question("a"), by: asker) }
        queue.withdrawn(question("a"), by: 2)
        let first = queue.next()
        #expect(queue.next() == nil)
        queue.asked(question("a"), by: 4)
        let next = queue.next()
        let job = try #require(first)
        let second = try #require(next)
        #expect(queue.ended(job.id) == [1, 3])
        #expect(queue.ended(second.id) == [4])
        #expect(queue.ended(second.id) == [])
    }

    @Test func `what nobody waits for any more never gets a thread, and leaves nothing behind`() {
        var queue = stuck(40)
        for number in 0..<1_000 {
            queue.asked(question("n\(number % 3)"), by: UInt64(number))
            #expect(queue.hasWaiting)
            queue.withdrawn(question("n\(number % 3)"), by: UInt64(number))
            #expect(!queue.hasWaiting)
        }
        #expect(queue.next() == nil)
    }

    @Test func `a thread that nobody waits for leaves its place, up to a limit`() {
        // All places, and the maximum number of stuck threads besides.
        var queue = stuck(39)
        queue.asked(question("last"), by: 2)
        #expect(queue.next() != nil)
        queue.asked(question("beyond"), by: 3)
        #expect(queue.next() == nil)
        #expect(queue.threadCount == LookupQueue.maxThreadCount + LookupQueue.maxAbandonedCount)
        #expect(queue.abandonedCount == 39)
        #expect(queue.isWaiting(question("beyond"), by: 3))
    }

    @Test func `when a stuck thread returns after all, what waits gets a place`() {
        var queue = stuck(40)
        queue.asked(question("next"), by: 2)
        #expect(queue.next() == nil)
        #expect(queue.ended(17) == [])
        #expect(queue.next()?.question.host == "next")
    }

    @Test func `a thread one of whose askers still waits keeps its place`() {
        var queue = LookupQueue()
        for number in 0..<8 {
            queue.asked(question("\(number)"), by: 1)
            queue.asked(question("\(number)"), by: 2)
            _ = queue.next()
            queue.withdrawn(question("\(number)"), by: 1)
        }
        queue.asked(question("next"), by: 3)
        #expect(queue.next() == nil)
        queue.withdrawn(question("5"), by: 2)
        #expect(queue.next()?.question.host == "next")
    }

    @Test func `a question that is always stuck takes two threads and no more, and holds up no other`() throws {
        var queue = LookupQueue()
        var jobs: [LookupQueue.Job] = []
        for asker in 1...5 as ClosedRange<UInt64> {
            queue.asked(question("stuck"), by: asker)
            if let job = queue.next() { jobs.append(job) }
            queue.withdrawn(question("stuck"), by: asker)
        }
        #expect(jobs.count == LookupQueue.maxThreadsPerQuestion)
        queue.asked(question("stuck"), by: 6)
        queue.asked(question("other"), by: 7)
        #expect(queue.next()?.question.host == "other")
        #expect(queue.next() == nil)
        // The other family is another question.
        queue.asked(question("stuck", .ipv6), by: 6)
        #expect(queue.next()?.question == question("stuck", .ipv6))
        _ = queue.ended(try #require(jobs.first).id)
        #expect(queue.next()?.question == question("stuck"))
    }
}
