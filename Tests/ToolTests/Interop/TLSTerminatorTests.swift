import GenesysLoop
import Testing

/// Maintenance of the TLS terminator while connections are open.
@Suite(.needs(.nginx), .timeLimit(.minutes(patience(3)))) struct TLSTerminatorTests {
    @Test func `a connection outlives a reload, and a new one meets the new worker`() async throws {
        try await Slots.taken {
            let peer = try await EchoPeer(.nginx)
            let events = try Conversation.hold(with: peer, path: "/echo") { event, client in
                switch event {
                case .opened: try peer.child.send(line: "reload")
                case .text("reloaded"): _ = try client.send(text: "still here")
                case .text("still here"): client.close()
                default: break
                }
            }
            #expect(events == [.opened, .text("reloaded"), .text("still here"), .closed(.normal, "")])
            #expect(try await peer.report().code == 1000)
            let later = try Conversation.hold(with: peer, path: "/echo") { if case .opened = $0 { $1.close() } }
            #expect(later == [.opened, .closed(.normal, "")])
            try await peer.end()
        }
    }

    /// No Close frame arrives: the worker drops its connections, with or without close_notify.
    @Test(arguments: ["stop", "reload"])
    func `a cut is told once, as a lost connection`(command: String) async throws {
        try await Slots.taken {
            let peer = try await EchoPeer(.nginx, ["--shutdown-timeout", "100ms"])
            let events = try Conversation.hold(with: peer, path: "/echo") { event, _ in
                if event == .opened { try peer.child.send(line: command) }
            }
            #expect(events.filter { $0 != .text("reloaded") } == [.opened, .failed(.connectionClosed)])
            #expect(try await peer.report().code == nil)
            try await peer.end()
        }
    }

    @Test func `nobody is there any more after a stop`() async throws {
        try await Slots.taken {
            let peer = try await EchoPeer(.nginx)
            _ = try Conversation.hold(with: peer, path: "/echo") { event, _ in
                if event == .opened { try peer.child.send(line: "stop") }
            }
            _ = try await peer.report()
            // Its listener ends with its process, a moment after its connections: until then a reset may occur.
            var events: [Conversation.Event] = []
            for _ in 0..<1_000 where events != [.failed(.connect)] {
                events = try Conversation.hold(with: peer, path: "/echo") { _, _ in }
            }
            #expect(events == [.failed(.connect)])
            try await peer.end()
        }
    }
}
