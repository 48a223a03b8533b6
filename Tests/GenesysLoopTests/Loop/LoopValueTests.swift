import Testing

@testable import GenesysLoop
@testable import ServerKit

@Suite(.timeLimit(.minutes(patience(1)))) struct LoopValueTests {
    @Test func `a bound value dropped on another thread dies on the loop's thread`() throws {
        let loop = try UVLoop()
        final class Witness {
            let loop: UVLoop
            let deaths: Tally
            init(_ loop: UVLoop, _ deaths: Tally) { (self.loop, self.deaths) = (loop, deaths) }
            deinit { if loop.isCurrent { deaths.add() } }
        }
        let deaths = Tally()
        func make() -> LoopBound<Witness> { LoopBound(Witness(loop, deaths), on: loop) }
        // Only the other thread holds the last copy.
        final class Slot: Sendable {
            nonisolated(unsafe) var bound: LoopBound<Witness>?
        }
        let slot = Slot()
        unsafe slot.bound = make()
        onOtherThread { unsafe slot.bound = nil }
        #expect(deaths.value == 0)
        loop.run()
        #expect(deaths.value == 1)
        unsafe slot.bound = make()
        unsafe slot.bound = nil
        #expect(deaths.value == 2)
    }

    @Test func `a bound value outlives no loop that never runs again`() throws {
        let deaths = Tally()
        func make() throws -> LoopBound<Mortal> { LoopBound(Mortal(deaths), on: try UVLoop()) }
        final class Slot: Sendable {
            nonisolated(unsafe) var bound: LoopBound<Mortal>?
        }
        let slot = Slot()
        unsafe slot.bound = try make()
        onOtherThread { unsafe slot.bound = nil }
        #expect(deaths.value == 1)
    }

    @Test func `a bound value that is dropped elsewhere after the loop's end keeps nothing in memory`() throws {
        final class Holder {
            let loop: UVLoop
            init(_ loop: UVLoop) { self.loop = loop }
        }
        final class Slot: Sendable {
            nonisolated(unsafe) var bound: LoopBound<Holder>?
        }
        let slot = Slot()
        weak var witness: UVLoop?
        func make() throws {
            let loop = try UVLoop()
            unsafe slot.bound = LoopBound(Holder(loop), on: loop)
            witness = loop
            loop.run()
        }
        try make()
        #expect(witness != nil)
        onOtherThread { unsafe slot.bound = nil }
        #expect(witness == nil)
    }

    @Test func `socket addresses are numeric, canonical and comparable`() throws {
        #expect(SocketAddress(numeric: "127.0.0.1", port: 443)?.description == "127.0.0.1:443")
        #expect(SocketAddress(numeric: "::1", port: 443)?.description == "[::1]:443")
        #expect(SocketAddress(numeric: "0:0:0:0:0:0:0:1", port: 1) == SocketAddress(numeric: "::1", port: 1))
        #expect(SocketAddress(numeric: "2001:DB8::a", port: 65_535)?.host == "2001:db8::a")
        #expect(SocketAddress(numeric: "::1", port: 1)?.isIPv6 == true)
        #expect(SocketAddress(numeric: "1.2.3.4", port: 1) != SocketAddress(numeric: "1.2.3.4", port: 2))
        for host in ["", "localhost", "127.0.0.1 ", "127.1", "[::1]", "1.2.3.4\0", "1.2.3.4.5", "0x7f000001"] {
            #expect(SocketAddress(numeric: host, port: 1) == nil, "\(host)")
        }
    }

    @Test func `an error names the operation, the code and the code in words`() {
        let refused = UVError(operation: "connect", code: -111)
        #expect(refused.description == "connect: ECONNREFUSED: connection refused")
        #expect(UVError(operation: "x", code: -99_999).name.contains("99999"))
    }

    @Test func `a listener refuses what is no address and an address in use`() throws {
        let loop = try UVLoop()
        let listener = try ListenerProbe(loop)
        let other = TCPListener(loop: loop, group: HandleGroup(loop: loop))
        #expect(throws: UVError.self) { try other.bind(host: "localhost") }
        let port = try listener.address.port
        let error = #expect(throws: UVError.self) { try other.bind(port: port) }
        #expect(error?.name == "EADDRINUSE")
        #expect(other.localPort == 0)
        try other.bind()
        #expect(other.localPort != 0)
        other.close()
        listener.close()
        loop.run()
        #expect(loop.registry.openCount == 1)
    }

    @Test func `a queue keeps order through appending and consuming in any mixture`() {
        var queue = OutboundQueue()
        var expected: [UInt8] = []
        var seed = UInt64(42)
        var next: UInt8 = 0
        for _ in 0..<2_000 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let count = Int(seed >> 60)
            if seed >> 59 & 1 == 0 {
                let bytes = (0..<count).map { UInt8(truncatingIfNeeded: Int(next) + $0) }
                next &+= UInt8(count)
                if queue.isEmpty, !bytes.isEmpty { queue.take(bytes, from: 0) } else { queue.append(bytes.span) }
                expected += bytes
            } else {
                let taken = min(count, queue.byteCount)
                if taken > 0 { queue.consume(taken) }
                expected.removeFirst(taken)
            }
            #expect(unsafe queue.withUnsafeBytes { unsafe [UInt8]($0) } == expected)
        }
    }
}
