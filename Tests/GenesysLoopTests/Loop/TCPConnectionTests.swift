import Foundation
import Testing

@testable import GenesysLoop

@Suite(.timeLimit(.minutes(patience(1)))) struct TCPConnectionTests {
    @Test(arguments: ["127.0.0.1", "::1"]) func `bytes go both ways over loopback`(host: String) throws {
        let loop = try UVLoop()
        guard let listener = try? ListenerProbe(loop, host: host) else { return }  // no IPv6 on this machine
        let client = ConnectionProbe(loop)
        client.connection?.connect(to: try listener.address)
        listener.didAccept = { listener, server in
            listener.close()
            server.connection?.startReading()
            server.didRead = { $0.connection?.write(Array($0.received.reversed())) }
            server.didEnd = { $0.connection?.close() }
        }
        client.didConnect = { client in
            client.connection?.write([1, 2, 3].span)
            client.connection?.startReading()
        }
        client.didRead = { $0.connection?.close() }
        loop.run()
        #expect(client.events == [.connected])
        #expect(client.received == [3, 2, 1])
    }

    @Test func `a refused connection is one failure, in a later callback`() throws {
        let loop = try UVLoop()
        let listener = try ListenerProbe(loop)
        let address = try listener.address
        listener.close()
        loop.run()
        let client = ConnectionProbe(loop)
        client.connection?.connect(to: address)
        client.connection?.write([1])
        #expect(client.events.isEmpty)
        loop.run()
        #expect(client.events == [.connectFailed("ECONNREFUSED")])
        client.connection?.write([1])
        client.connection?.shutdown()
        client.connection?.close()
        loop.run()
        #expect(client.events.count == 1)
    }

    @Test func `an unreachable address fails at once but is reported in a later pass`() throws {
        let loop = try UVLoop()
        let client = ConnectionProbe(loop)
        client.connection?.connect(to: try #require(SocketAddress(numeric: "255.255.255.255", port: 9)))
        #expect(client.events.isEmpty)
        loop.run()
        #expect(client.events.count == 1)
        guard case .connectFailed = client.events.first else {
            Issue.record("\(client.events)")
            return
        }
    }

    @Test func `an immediate failure is not reported to an owner that closed or dropped the connection`() throws {
        let loop = try UVLoop()
        let address = try #require(SocketAddress(numeric: "255.255.255.255", port: 9))
        let closed = ConnectionProbe(loop)
        closed.connection?.connect(to: address)
        closed.connection?.close()
        do {
            let dropped = ConnectionProbe(loop)
            dropped.connection?.connect(to: address)
        }
        loop.run()
        #expect(closed.events.isEmpty)
        #expect(loop.registry.openCount == 1)
    }

    @Test func `closing while connecting gives the request back and says nothing`() throws {
        let loop = try UVLoop()
        let listener = try ListenerProbe(loop)
        let client = ConnectionProbe(loop)
        client.connection?.connect(to: try listener.address)
        client.connection?.write([UInt8](repeating: 0, count: 100))
        client.connection?.close()
        client.connection?.close()
        do {
            let dropped = ConnectionProbe(loop)
            dropped.connection?.connect(to: try listener.address)
        }
        listener.close()
        loop.run()
        #expect(client.events.isEmpty)
        #expect(loop.registry.openCount == 1)
    }

    @Test func `a big write against a slow reader arrives whole and in order`() throws {
        let loop = try UVLoop()
        let pair = try ConnectedPair(loop)
        // With a period of 4,093 (a prime), misplaced parts are noticed.
        var bytes = (0..<4_093).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
        while bytes.count < 12 << 20 { bytes += bytes }
        let (first, second) = (Array(bytes[..<(10 << 20)]), Array(bytes[(10 << 20)...]))
        pair.client.connection?.write(first)
        #expect((pair.client.connection?.queuedByteCount ?? 0) > 1 << 20)
        pair.client.connection?.write(second.span)
        pair.client.connection?.shutdown()
        pair.client.connection?.write([1])
        defer { pair.server.forget() }
        // A reader that pauses for a turn of the loop after every read.
        pair.server.didRead = { server in
            server.connection?.stopReading()
            loop.execute { [bound = LoopBound(server, on: loop)] in bound.value.connection?.startReading() }
        }
        pair.server.connection?.startReading()
        loop.run()
        #expect(pair.server.received.count == bytes.count)
        let isEqual = unsafe bytes.withUnsafeBytes { sent in
            unsafe pair.server.received.withUnsafeBytes { received in
                guard let left = sent.baseAddress, let right = received.baseAddress else { return false }
                return unsafe memcmp(left, right, min(sent.count, received.count)) == 0
            }
        }
        #expect(isEqual)
        #expect(pair.server.events == [.eof])
        #expect(pair.client.events == [.drained])
        #expect(pair.client.connection?.queuedByteCount == 0)
    }

    @Test func `a queue that falls to its low-water mark is told, and told again when it is empty`() throws {
        let loop = try UVLoop()
        let pair = try ConnectedPair(loop)
        defer { pair.client.forget() }
        let client = try #require(pair.client.connection)
        client.write([UInt8](repeating: 7, count: 32 << 20))
        // Just below the queued bytes, so that the first progress reaches it.
        let mark = client.queuedByteCount - 1
        try #require(mark > 0)
        client.lowWaterMark = mark
        var left: [Int] = []
        pair.client.didDrain = { _ in
            left.append(client.queuedByteCount)
            if client.queuedByteCount == 0 { loop.stop() }
        }
        pair.server.connection?.startReading()
        loop.run()
        #expect(left.count == 2)
        #expect(left.first.map { $0 > 0 && $0 <= mark } == true)
        #expect(left.last == 0)
    }

    @Test func `what is written before the connection is made is sent when it is`() throws {
        let loop = try UVLoop()
        let listener = try ListenerProbe(loop)
        let client = ConnectionProbe(loop)
        client.connection?.write([1, 2])
        client.connection?.connect(to: try listener.address)
        client.connection?.write([3])
        client.connection?.shutdown()
        listener.didAccept = { listener, server in
            listener.close()
            server.connection?.startReading()
        }
        loop.run()
        #expect(client.events == [.connected, .drained])
        #expect(listener.accepted.first?.received == [1, 2, 3])
        #expect(listener.accepted.first?.events == [.eof])
    }

    @Test func `after a half-close the other direction goes on`() throws {
        let loop = try UVLoop()
        let pair = try ConnectedPair(loop)
        pair.server.connection?.startReading()
        pair.server.didEnd = { server in
            server.connection?.write([9, 9])
            server.connection?.shutdown()
        }
        pair.client.connection?.startReading()
        pair.client.connection?.shutdown()
        pair.client.connection?.shutdown()
        loop.run()
        #expect(pair.server.events == [.eof])
        #expect(pair.client.received == [9, 9])
        #expect(pair.client.events == [.eof])
    }

    @Test func `an abort reaches the peer as a reset`() throws {
        let loop = try UVLoop()
        let pair = try ConnectedPair(loop)
        pair.client.connection?.startReading()
        pair.server.connection?.abort()
        pair.server.connection?.abort()
        loop.run()
        #expect(pair.client.events == [.failed("ECONNRESET")])
        #expect(pair.server.events.isEmpty)
    }

    @Test func `what the peer sent before it reset is read before the failure of a write is reported`() throws {
        let loop = try UVLoop()
        let pair = try ConnectedPair(loop)
        pair.server.connection?.write([4, 2])
        // Bytes that the server never reads turn its close into a reset.
        pair.client.connection?.write([1])
        let waiter = TimerProbe(loop) { probe in
            guard pair.server.connection?.hasUnreadInput == true, pair.client.connection?.hasUnreadInput == true else {
                return probe.start(after: .zero)
            }
            pair.server.connection?.close()
            pair.client.connection?.startReading()
            pair.client.connection?.write([1])
        }
        waiter.start(after: .zero)
        loop.run()
        #expect(pair.client.received == [4, 2])
        #expect(pair.client.events == [.failed("ECONNRESET")])
    }

    @Test func `input waiting in the kernel is noticed without reading it`() throws {
        let loop = try UVLoop()
        let pair = try ConnectedPair(loop)
        #expect(pair.client.connection?.hasUnreadInput == false)
        pair.server.connection?.write([1])
        let waiter = TimerProbe(loop) { probe in
            guard pair.client.connection?.hasUnreadInput == true else { return probe.start(after: .zero) }
            pair.client.connection?.startReading()
        }
        waiter.start(after: .zero)
        pair.client.didRead = { $0.connection?.close() }
        loop.run()
        #expect(pair.client.received == [1])
        #expect(pair.client.connection?.hasUnreadInput == false)
    }

    @Test func `closing with a queue drops it and says nothing`() throws {
        let loop = try UVLoop()
        let pair = try ConnectedPair(loop)
        pair.client.connection?.write([UInt8](repeating: 1, count: 16 << 20))
        #expect((pair.client.connection?.queuedByteCount ?? 0) > 0)
        pair.client.connection?.close()
        #expect(pair.client.connection?.queuedByteCount == 0)
        pair.server.connection?.close()
        loop.run()
        #expect(pair.client.events.isEmpty)
        #expect(loop.registry.openCount == 1)
    }

    @Test func `a paused reader hears nothing, then everything`() throws {
        let loop = try UVLoop()
        let pair = try ConnectedPair(loop)
        pair.server.connection?.write([UInt8](repeating: 5, count: 1_000))
        pair.server.connection?.shutdown()
        let resume = TimerProbe(loop) { _ in
            #expect(pair.client.received.isEmpty && pair.client.events.isEmpty)
            pair.client.connection?.startReading()
        }
        resume.start(after: .milliseconds(2))
        loop.run()
        #expect(pair.client.received.count == 1_000)
        #expect(pair.client.events == [.eof])
    }

    enum Moment: CaseIterable { case connect, read, eof, failure, drain }
    enum Deed: CaseIterable { case close, abort, drop, dropOwner }

    @Test(arguments: Moment.allCases, Deed.allCases)
    func `the connection may end in each of its callbacks`(moment: Moment, deed: Deed) throws {
        let loop = try UVLoop()
        let deaths = Tally()
        let listener = try ListenerProbe(loop)
        var owner: ConnectionProbe? = ConnectionProbe(loop)
        let mortal = Mortal(deaths)
        var calls = 0
        let act: (ConnectionProbe) -> Void = { [weak loop] probe in
            withExtendedLifetime(mortal) { calls += 1 }
            loop?.execute {}
            switch deed {
            case .close: probe.connection?.close()
            case .abort: probe.connection?.abort()
            case .drop: probe.connection = nil
            case .dropOwner: owner = nil
            }
            listener.accepted.first?.connection?.close()
        }
        switch moment {
        case .connect: owner?.didConnect = act
        case .read: owner?.didRead = act
        case .eof, .failure: owner?.didEnd = act
        case .drain: owner?.didDrain = act
        }
        owner?.connection?.startReading()
        if moment == .drain { owner?.connection?.write([UInt8](repeating: 1, count: 8 << 20)) }
        owner?.connection?.connect(to: try listener.address)
        listener.didAccept = { listener, server in
            listener.close()
            switch moment {
            case .connect: break
            case .read: server.connection?.write([1])
            case .eof: server.connection?.shutdown()
            case .failure: server.connection?.abort()
            case .drain: server.connection?.startReading()
            }
        }
        loop.run()
        listener.accepted.removeAll()
        loop.run()
        #expect(calls == 1)
        #expect(loop.registry.openCount == 1)
        owner?.forget()
        owner = nil
        withExtendedLifetime(mortal) {}
    }

    @Test func `thousands of connections leave no handle behind`() throws {
        let loop = try UVLoop()
        let listener = try ListenerProbe(loop)
        var rest = 500
        var clients: [ConnectionProbe] = []
        listener.didAccept = { $1.connection?.abort() }
        for _ in 0..<rest {
            let client = ConnectionProbe(loop)
            client.connection?.startReading()
            client.didEnd = { _ in
                rest -= 1
                if rest == 0 { listener.close() }
            }
            client.connection?.connect(to: try listener.address)
            clients.append(client)
        }
        loop.run()
        #expect(rest == 0)
        clients.removeAll()
        listener.accepted.removeAll()
        loop.run()
        #expect(loop.registry.openCount == 1)
    }
}
