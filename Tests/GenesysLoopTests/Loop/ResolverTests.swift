import Testing

@testable import GenesysLoop

@Suite(.timeLimit(.minutes(patience(1)))) struct ResolverTests {
    @Test func `a numeric host is answered in a pass, without a thread`() throws {
        let loop = try UVLoop()
        let probe = ResolutionProbe()
        let four = loop.resolver.resolve("127.0.0.1", port: 443, owner: probe)
        #expect(probe.endCount == 0)
        #expect(loop.resolver.threadCount == 0)
        loop.run()
        #expect(probe.found.map(\.description) == ["127.0.0.1:443"])
        let six = loop.resolver.resolve("::1", port: 1, owner: probe)
        loop.run()
        #expect(probe.found.map(\.description) == ["127.0.0.1:443", "[::1]:1"])
        // The error mentions only the address's own family.
        #expect(probe.families == [.ipv4, .ipv6])
        #expect((four.host, four.port, six.host) == ("127.0.0.1", 443, "::1"))
    }

    @Test func `localhost is resolved by a thread to loopback addresses`() throws {
        let loop = try UVLoop()
        let probe = ResolutionProbe()
        let resolution = loop.resolver.resolve("localhost", port: 80, owner: probe)
        #expect(loop.resolver.threadCount == 2)
        loop.run()
        #expect(probe.endCount == 1)
        #expect(probe.families.count == 2)
        #expect(probe.found.contains { $0.description == "127.0.0.1:80" || $0.description == "[::1]:80" })
        #expect(loop.resolver.threadCount == 0)
        withExtendedLifetime(resolution) {}
    }

    @Test func `a name that cannot exist is a failure with a text`() throws {
        let loop = try UVLoop()
        let probe = ResolutionProbe()
        let resolution = loop.resolver.resolve("nonexistent.invalid", port: 80, owner: probe)
        loop.run()
        #expect(probe.found.isEmpty)
        // Without a name server the system cannot know that the name does not exist.
        let error = try #require(probe.error)
        #expect(!error.text.isEmpty)
        withExtendedLifetime(resolution) {}
    }

    @Test(arguments: ["", "a\0b", String(repeating: "a", count: 254)])
    func `what cannot be a name is never looked up`(host: String) throws {
        let loop = try UVLoop()
        let probe = ResolutionProbe()
        let resolution = loop.resolver.resolve(host, port: 80, owner: probe)
        #expect(loop.resolver.threadCount == 0)
        loop.run()
        #expect(probe.error?.isNoSuchName == true)
        withExtendedLifetime(resolution) {}
    }

    @Test func `a cancelled and a dropped look-up are silent`() throws {
        let loop = try UVLoop()
        let probe = ResolutionProbe()
        let cancelled = loop.resolver.resolve("localhost", port: 80, owner: probe)
        let numeric = loop.resolver.resolve("127.0.0.1", port: 80, owner: probe)
        _ = loop.resolver.resolve("127.0.0.1", port: 80, owner: probe)
        _ = loop.resolver.resolve("localhost", port: 80, owner: probe)
        cancelled.cancel()
        cancelled.cancel()
        numeric.cancel()
        loop.run()
        #expect(probe.endCount == 0)
    }

    @Test func `the look-up may be dropped in its own answer`() throws {
        let loop = try UVLoop()
        let probe = ResolutionProbe()
        var resolution: Resolution?
        probe.didEnd = { resolution = nil }
        resolution = loop.resolver.resolve("127.0.0.1", port: 80, owner: probe)
        loop.run()
        resolution = loop.resolver.resolve("localhost", port: 80, owner: probe)
        loop.run()
        #expect(probe.endCount == 2)
        #expect(resolution == nil)
    }

    @Test func `four names at a time, the rest waits its turn, and all are answered`() throws {
        let loop = try UVLoop()
        let address = try #require(SocketAddress(numeric: "10.0.0.1", port: 1))
        let gate = Gate()
        loop.resolver.lookup = { _ in
            gate.wait()
            return .success([address])
        }
        let probe = ResolutionProbe()
        let resolutions = (0..<10).map { loop.resolver.resolve("host\($0)", port: 1, owner: probe) }
        #expect(loop.resolver.threadCount == LookupQueue.maxThreadCount)
        resolutions[9].cancel()
        for _ in resolutions { gate.open(2) }
        // Dropping a resolution cancels it, and the optimizer drops it after its last use.
        withExtendedLifetime(resolutions) { loop.run() }
        #expect(probe.endCount == 9)
        #expect(probe.found.count == 9)
        #expect(loop.resolver.threadCount == 0)
    }

    @Test func `each family is answered as soon as it is known, and one may fail`() throws {
        let loop = try UVLoop()
        let address = try #require(SocketAddress(numeric: "10.0.0.1", port: 1))
        let gate = Gate()
        loop.resolver.lookup = { question in
            guard question.family == .ipv6 else { return .success([address]) }
            gate.wait()
            return .failure(ResolverError(code: -3, text: "try again", isNoSuchName: false))
        }
        let probe = ResolutionProbe()
        probe.didHear = {
            guard probe.families == [.ipv4] else { return }
            #expect(probe.found == [address])
            #expect(probe.endCount == 0)
            gate.open()
        }
        let resolution = loop.resolver.resolve("name", port: 1, owner: probe)
        withExtendedLifetime(resolution) { loop.run() }
        probe.didHear = {}
        #expect(probe.families == [.ipv4, .ipv6])
        #expect(probe.endCount == 1)
        #expect(probe.error?.text == "try again")
    }

    @Test func `a thousand that ask for one name while threads are busy are answered by one look-up`() throws {
        let loop = try UVLoop()
        let address = try #require(SocketAddress(numeric: "10.0.0.1", port: 1))
        let gate = Gate()
        let names = Locked<[String]>([])
        loop.resolver.lookup = { question in
            gate.wait()
            names.withLock { $0.append("\(question.host) \(question.family)") }
            return .success([address])
        }
        let probe = ResolutionProbe()
        let busy = (0..<4).map { loop.resolver.resolve("busy\($0)", port: 1, owner: probe) }
        let unwanted = loop.resolver.resolve("unwanted", port: 1, owner: probe)
        let many = (0..<1_000).map { _ in loop.resolver.resolve("one", port: 1, owner: probe) }
        unwanted.cancel()
        many[0].cancel()
        gate.open(10)
        withExtendedLifetime((busy, many)) { loop.run() }
        #expect(probe.endCount == busy.count + 999)
        let asked = names.withLock { $0 }
        #expect(asked.filter { $0.hasPrefix("one") }.sorted() == ["one IPv4", "one IPv6"])
        #expect(asked.count == 10)
    }

    // MARK: - Stuck threads

    @Test func `a look-up that is stuck takes nobody in`() throws {
        let loop = try UVLoop()
        let address = try #require(SocketAddress(numeric: "10.0.0.1", port: 1))
        let gate = Gate()
        let isStuck = Gate()
        let count = Locked(0)
        loop.resolver.lookup = { _ in
            let number = count.withLock { count in
                count += 1
                return count
            }
            if number <= 2 {
                isStuck.open()
                gate.wait()
            }
            return .success([address])
        }
        let probe = ResolutionProbe()
        let stuck = loop.resolver.resolve("name", port: 1, owner: probe)
        // Otherwise the other test's threads might be first.
        isStuck.wait(2)
        probe.didEnd = {
            #expect(probe.endCount == 1)
            stuck.cancel()
        }
        let next = loop.resolver.resolve("name", port: 1, owner: probe)
        withExtendedLifetime((stuck, next)) { loop.run() }
        probe.didEnd = {}
        #expect(probe.endCount == 1)
        gate.open(2)
    }

    @Test func `four stuck names that nobody waits for any more do not keep a fifth from being looked up`() throws {
        let loop = try UVLoop()
        let address = try #require(SocketAddress(numeric: "10.0.0.1", port: 1))
        let gate = Gate()
        loop.resolver.lookup = { question in
            if question.host.hasPrefix("stuck") { gate.wait() }
            return .success([address])
        }
        let probe = ResolutionProbe()
        let stuck = (0..<4).map { loop.resolver.resolve("stuck\($0)", port: 1, owner: probe) }
        let fifth = loop.resolver.resolve("fifth", port: 1, owner: probe)
        #expect(fifth.silence == "the system's resolver answers none of the 8 look-ups before this one")
        #expect(stuck[0].silence == "the system's resolver does not answer")
        let timer = TimerProbe(loop) { _ in
            #expect(probe.endCount == 0)
            for resolution in stuck { resolution.cancel() }
            #expect(loop.resolver.abandonedCount == 8)
        }
        timer.start(after: .milliseconds(20))
        let watchdog = TimerProbe(loop) { _ in fifth.cancel() }
        watchdog.start(after: .seconds(10))
        probe.didEnd = { watchdog.drop() }
        withExtendedLifetime(fifth) { loop.run() }
        #expect(probe.endCount == 1)
        #expect(probe.found == [address])
        #expect(loop.resolver.threadCount == 8)
        gate.open(8)
    }

    @Test func `look-ups that are cancelled together do not start one another`() throws {
        let loop = try UVLoop()
        let gate = Gate()
        loop.resolver.lookup = { _ in
            gate.wait()
            return .success([])
        }
        let probe = ResolutionProbe()
        let many = (0..<20).map { loop.resolver.resolve("stuck\($0)", port: 1, owner: probe) }
        let timer = TimerProbe(loop) { _ in for resolution in many { resolution.cancel() } }
        timer.start(after: .zero)
        loop.run()
        #expect(loop.resolver.threadCount == LookupQueue.maxThreadCount)
        #expect(loop.resolver.abandonedCount == LookupQueue.maxThreadCount)
        gate.open(LookupQueue.maxThreadCount)
    }

    @Test func `a stuck thread holds up neither run nor the end of the loop`() throws {
        let gate = Gate()
        let returned = Gate()
        weak var dead: UVLoop?
        do {
            let loop = try UVLoop()
            dead = loop
            loop.resolver.lookup = { _ in
                gate.wait()
                returned.open()
                return .failure(ResolverError(code: 0, text: "", isNoSuchName: false))
            }
            let probe = ResolutionProbe()
            let resolution = loop.resolver.resolve("stuck", port: 1, owner: probe)
            let timer = TimerProbe(loop) { _ in resolution.cancel() }
            timer.start(after: .zero)
            loop.run()
            #expect(probe.endCount == 0)
            #expect(loop.resolver.threadCount == 2)
        }
        #expect(dead == nil)
        // The threads' late answers find a closed mailbox.
        gate.open(2)
        returned.wait(2)
    }
}
