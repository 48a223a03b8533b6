import Testing

@testable import GenesysLoop

@Suite(.timeLimit(.minutes(patience(1)))) struct ResolverTests {
    @Test func `a numeric host is answered in a pass, without a thread`() throws {
        let loop = try EventLoop()
        let probe = ResolutionProbe()
        let four = loop.resolver.resolve("127.0.0.1", port: 443, owner: probe)
        #expect(probe.callCount == 0)
        #expect(loop.resolver.threadCount == 0)
        loop.run()
        #expect(probe.found.map(\.description) == ["127.0.0.1:443"])
        let six = loop.resolver.resolve("::1", port: 1, owner: probe)
        loop.run()
        #expect(probe.found.map(\.description) == ["[::1]:1"])
        #expect((four.host, four.port, six.host) == ("127.0.0.1", 443, "::1"))
    }

    @Test func `localhost is resolved by a thread to loopback addresses`() throws {
        let loop = try EventLoop()
        let probe = ResolutionProbe()
        let resolution = loop.resolver.resolve("localhost", port: 80, owner: probe)
        #expect(loop.resolver.threadCount == 1)
        loop.run()
        #expect(probe.callCount == 1)
        #expect(probe.found.contains { $0.description == "127.0.0.1:80" || $0.description == "[::1]:80" })
        #expect(loop.resolver.threadCount == 0)
        withExtendedLifetime(resolution) {}
    }

    @Test func `a name that cannot exist is a failure with a text`() throws {
        let loop = try EventLoop()
        let probe = ResolutionProbe()
        let resolution = loop.resolver.resolve("nonexistent.invalid", port: 80, owner: probe)
        loop.run()
        #expect(probe.found.isEmpty)
        // Without any name server the system cannot know that it does not exist.
        let error = try #require(probe.error)
        #expect(!error.text.isEmpty)
        withExtendedLifetime(resolution) {}
    }

    @Test(arguments: ["", "a\0b", String(repeating: "a", count: 254)])
    func `what cannot be a name is never looked up`(host: String) throws {
        let loop = try EventLoop()
        let probe = ResolutionProbe()
        let resolution = loop.resolver.resolve(host, port: 80, owner: probe)
        #expect(loop.resolver.threadCount == 0)
        loop.run()
        #expect(probe.error?.isNoSuchName == true)
        withExtendedLifetime(resolution) {}
    }

    @Test func `a cancelled and a dropped look-up are silent`() throws {
        let loop = try EventLoop()
        let probe = ResolutionProbe()
        let cancelled = loop.resolver.resolve("localhost", port: 80, owner: probe)
        let numeric = loop.resolver.resolve("127.0.0.1", port: 80, owner: probe)
        _ = loop.resolver.resolve("127.0.0.1", port: 80, owner: probe)
        _ = loop.resolver.resolve("localhost", port: 80, owner: probe)
        cancelled.cancel()
        cancelled.cancel()
        numeric.cancel()
        loop.run()
        #expect(probe.callCount == 0)
    }

    @Test func `the look-up may be dropped in its own answer`() throws {
        let loop = try EventLoop()
        let probe = ResolutionProbe()
        var resolution: Resolution?
        probe.didEnd = { resolution = nil }
        resolution = loop.resolver.resolve("127.0.0.1", port: 80, owner: probe)
        loop.run()
        resolution = loop.resolver.resolve("localhost", port: 80, owner: probe)
        loop.run()
        #expect(probe.callCount == 2)
        #expect(resolution == nil)
    }

    @Test func `four threads at most, the rest waits its turn, and all are answered`() throws {
        let loop = try EventLoop()
        let address = try #require(SocketAddress(numeric: "10.0.0.1", port: 1))
        let gate = Gate()
        loop.resolver.lookup = { _, _ in
            gate.wait()
            return .success([address])
        }
        let probe = ResolutionProbe()
        let resolutions = (0..<10).map { loop.resolver.resolve("host\($0)", port: 1, owner: probe) }
        #expect(loop.resolver.threadCount == Resolver.maxThreadCount)
        resolutions[9].cancel()
        for _ in resolutions { gate.open() }
        // Dropping a resolution cancels it, and the optimizer drops it after its last use.
        withExtendedLifetime(resolutions) { loop.run() }
        #expect(probe.callCount == 9)
        #expect(loop.resolver.threadCount == 0)
    }

    @Test func `a thousand that ask for one name while threads are busy are answered by one look-up`() throws {
        let loop = try EventLoop()
        let address = try #require(SocketAddress(numeric: "10.0.0.1", port: 1))
        let gate = Gate()
        let names = Locked<[String]>([])
        loop.resolver.lookup = { host, _ in
            gate.wait()
            names.withLock { $0.append(host) }
            return .success([address])
        }
        let probe = ResolutionProbe()
        let busy = (0..<Resolver.maxThreadCount).map { loop.resolver.resolve("busy\($0)", port: 1, owner: probe) }
        let unwanted = loop.resolver.resolve("unwanted", port: 1, owner: probe)
        let many = (0..<1_000).map { _ in loop.resolver.resolve("one", port: 1, owner: probe) }
        unwanted.cancel()
        many[0].cancel()
        for _ in 0...busy.count { gate.open() }
        withExtendedLifetime((busy, many)) { loop.run() }
        #expect(probe.callCount == busy.count + 999)
        #expect(names.withLock { $0.filter { $0 == "one" }.count } == 1)
        #expect(names.withLock { !$0.contains("unwanted") })
    }

    @Test func `a look-up that is stuck takes nobody in`() throws {
        let loop = try EventLoop()
        let address = try #require(SocketAddress(numeric: "10.0.0.1", port: 1))
        let gate = Gate()
        let isStuck = Gate()
        let count = Locked(0)
        loop.resolver.lookup = { _, _ in
            let number = count.withLock { count in
                count += 1
                return count
            }
            if number == 1 {
                isStuck.open()
                gate.wait()
            }
            return .success([address])
        }
        let probe = ResolutionProbe()
        let stuck = loop.resolver.resolve("name", port: 1, owner: probe)
        // Otherwise the other one's thread might be the first.
        isStuck.wait()
        probe.didEnd = {
            #expect(probe.callCount == 1)
            stuck.cancel()
        }
        let next = loop.resolver.resolve("name", port: 1, owner: probe)
        withExtendedLifetime((stuck, next)) { loop.run() }
        probe.didEnd = {}
        #expect(probe.callCount == 1)
        gate.open()
    }

    @Test func `a stuck thread holds up neither run nor the end of the loop`() throws {
        let gate = Gate()
        let returned = Gate()
        weak var dead: EventLoop?
        do {
            let loop = try EventLoop()
            dead = loop
            loop.resolver.lookup = { _, _ in
                gate.wait()
                return .failure(ResolverError(code: 0, text: "", isNoSuchName: false))
            }
            let probe = ResolutionProbe()
            let resolution = loop.resolver.resolve("stuck", port: 1, owner: probe)
            let timer = TimerProbe(loop) { _ in resolution.cancel() }
            timer.start(after: .zero)
            loop.run()
            #expect(probe.callCount == 0)
            #expect(loop.resolver.threadCount == 1)
        }
        #expect(dead == nil)
        // The thread's late answer finds a closed mailbox.
        gate.open()
        let next = try EventLoop()
        next.resolver.lookup = { _, _ in
            returned.open()
            return .failure(ResolverError(code: 0, text: "", isNoSuchName: false))
        }
        let probe = ResolutionProbe()
        let resolution = next.resolver.resolve("next", port: 1, owner: probe)
        next.run()
        returned.wait()
        #expect(probe.callCount == 1)
        withExtendedLifetime(resolution) {}
    }
}
