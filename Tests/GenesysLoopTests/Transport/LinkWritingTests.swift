import Foundation
import Testing

@testable import GenesysLoop

@Suite(.timeLimit(.minutes(patience(1)))) struct LinkWritingTests {
    /// Makes the kernel accept little, so that the rest must wait.
    private func narrow(_ tcp: TCPConnection?) {
        guard let descriptor = tcp?.descriptor else { return }
        var size: Int32 = 4_096
        // The variable lives for the call.
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }

    @Test(arguments: [false, true])
    func `pings from a peer that does not read cost bounded memory, and the last one is answered`(tls: Bool) throws {
        let loop = try UVLoop()
        let count = 8_000
        let payload = { (number: Int) in Array("\(number)".utf8) + [UInt8](repeating: 0x20, count: 100) }
        let pings = (1...count).flatMap { serverFrame(.ping, payload($0)) }
        var probe: LinkProbe?
        var server: ScriptedServer?
        let hasLast = { server?.connections.first?.pongs.last == payload(count) }
        let made = try ScriptedServer(
            loop, tls: tls,
            Step.upgrade + [
                .stopReading, .bytes(pings), .text("end"),
                .until { probe?.messages.isEmpty == false }, .turn, .startReading, .until(hasLast), .fin,
            ])
        server = made
        let link = LinkProbe(made)
        probe = link
        link.didOpen = { _, link in narrow(link.tcp) }
        var peak = 0
        link.didReceive = { _, link in
            link.flush()
            peak = link.tcp?.queuedByteCount ?? 0
            // The server checks what the client has received.
            let bound = LoopBound(made, on: loop)
            loop.execute { bound.value.connections.first?.look() }
        }
        try link.run()
        #expect(link.texts == ["end"])
        #expect(peak > 64 * 1_024, "nothing had to wait")
        #expect(peak < Link.maxQueuedPongByteCount + 70_000)
        let pongs = try made.first.pongs
        #expect(pongs.count < count)
        #expect(pongs.last == payload(count))
        (probe, server) = (nil, nil)
    }

    @Test(arguments: [false, true])
    func `a large message reaches a server that reads slowly`(tls: Bool) throws {
        let loop = try UVLoop()
        let payload = Array(String(repeating: "topic ", count: 100_000).utf8)
        let made = try ScriptedServer(
            loop, tls: tls,
            Step.upgrade + [.stopReading, .turn, .turn]
                + (0..<200).flatMap { _ in [.stopReading, .turn, .startReading, .turn] as [Step] } + [.message, .fin])
        let probe = LinkProbe(made)
        var queued = 0
        probe.didOpen = { _, link in
            narrow(link.tcp)
            link.send(.text, payload)
            link.flush()
            queued = link.tcp?.queuedByteCount ?? 0
        }
        try probe.run()
        #expect(queued > 100_000)
        #expect(try made.first.messages == [payload])
    }
}
