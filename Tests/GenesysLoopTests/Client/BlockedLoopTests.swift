import Testing

@testable import GenesysLoop

/// A host that blocks its loop for longer than the service may take, while the answer waits in the socket.
@Suite(.timeLimit(.minutes(patience(1)))) struct BlockedLoopTests {
    private static let limit: Duration = .milliseconds(20)

    @Test(arguments: LoopDrive.allCases)
    func `a confirmation that waits for a blocked loop is in time`(drive: LoopDrive) throws {
        try drive.withLoop { loop in
            let block = Step.act { loop.block(for: .milliseconds(35)) }
            let server = try ScriptedServer(
                loop, Step.upgrade + [.message, .confirm, block, .turn, .turn, .notify(1)] + Step.goodbye)
            server.drive = drive
            let host = ChannelHost()
            host.didReceive = { channel, _ in channel.close() }
            try host.run(on: server) { $0.deadlines.subscribe = BlockedLoopTests.limit }
            #expect(host.events == [.subscribed, .closed])
            #expect(try server.first.messages.count == 1, "the command is not repeated either")
        }
    }

    @Test(arguments: LoopDrive.allCases)
    func `a sign of life that waits for a blocked loop is in time`(drive: LoopDrive) throws {
        try drive.withLoop { loop in
            let block = Step.act { loop.block(for: .milliseconds(35)) }
            // The answer to the ping waits, then one byte after the other.
            let server = try ScriptedServer(
                loop, Step.subscription + [.message, .notify(1), block, .turn, .notify(2)] + Step.goodbye)
            server.drive = drive
            let host = ChannelHost()
            host.didReceive = { channel, number in if number == 2 { channel.close() } }
            try host.run(on: server) {
                $0.heartbeatTimeout = BlockedLoopTests.limit
                $0.pingTimeout = BlockedLoopTests.limit
            }
            #expect(host.events == [.subscribed, .closed])
            #expect(host.numbers == [1, 2])
        }
    }

    @Test func `a channel that hears that its loop was late knows no arrival time of what it reads next`() throws {
        let server = try ScriptedServer(UVLoop(), Step.subscription + [.notify(1)] + Step.goodbye)
        let host = ChannelHost()
        var held: Bool?
        host.didHear = { channel, event in
            guard event == .subscribed else { return }
            channel.loopWasLate()
            held = channel.machine.current?.evidence.hasBacklog
        }
        host.didReceive = { channel, _ in channel.close() }
        try host.run(on: server)
        #expect(held == true)
    }
}
