import Testing

@testable import GenesysLoop

/// A loop that is blocked for longer than a phase may take, while the answer waits in the socket.
@Suite(.timeLimit(.minutes(patience(1)))) struct LinkDeadlineTests {
    private static let limit: Duration = .milliseconds(25)

    /// Keeps the loop of `server` from turning until the deadline has passed.
    private static func block(_ server: ScriptedServer) {
        server.loop.block(for: limit + .milliseconds(15))
    }

    @Test(arguments: LoopDrive.allCases, [Link.Phase.connecting, .securing, .upgrading, .closing])
    func `an answer that lies unread before a blocked loop is not late`(drive: LoopDrive, phase: Link.Phase) throws {
        try drive.withLoop { loop in
            let server = try server(on: loop, lateIn: phase)
            server.drive = drive
            let probe = LinkProbe(server)
            probe.didEnter = { _, link in
                // The kernel makes the connection.
                if phase == .connecting, link.phase == .connecting { LinkDeadlineTests.block(server) }
            }
            probe.didOpen = { _, link in link.sendClose(.normal) }
            try probe.run { deadlines in
                switch phase {
                case .connecting: deadlines.connect = LinkDeadlineTests.limit
                case .securing: deadlines.tls = LinkDeadlineTests.limit
                case .upgrading: deadlines.upgrade = LinkDeadlineTests.limit
                default: deadlines.close = LinkDeadlineTests.limit
                }
            }
            #expect(probe.phases.contains(phase))
            #expect(probe.end?.closeCode == CloseCode.normal.rawValue)
            #expect(probe.end?.failure.reason != .timeout)
        }
    }

    private func server(on loop: UVLoop, lateIn phase: Link.Phase) throws -> ScriptedServer {
        weak var made: ScriptedServer?
        let block = Step.act { made.map(LinkDeadlineTests.block) }
        var steps: [Step] =
            switch phase {
            case .upgrading: [.request, .accept, block] + Step.goodbye
            case .closing: Step.upgrade + [.closeFrame, .close(.normal, ""), .closeNotify, block, .fin]
            default: Step.upgrade + Step.goodbye
            }
        if phase == .securing {
            // The second look comes when the server's part of the handshake is sent.
            var lookCount = 0
            let hasAnswered: () -> Bool = {
                lookCount += 1
                return lookCount > 1
            }
            steps = [.until(hasAnswered), block] + steps
        }
        let server = try ScriptedServer(loop, tls: phase == .securing, steps)
        made = server
        return server
    }
}
