import Foundation
import Testing

@testable import GenesysLoop
@testable import ServerKit

@Suite(.timeLimit(.minutes(patience(1)))) struct LinkEndTests {
    private func end(_ server: ScriptedServer, _ probe: LinkProbe) throws -> LinkEnd {
        #expect(probe.endCount == 1)
        #expect(probe.finishCount == 1)
        return try #require(probe.end)
    }

    // MARK: - Before the upgrade

    @Test func `a refused connection names the address`() throws {
        let server = try ScriptedServer(UVLoop(), [])
        let port = server.port
        // Nothing listens there anymore.
        server.clientDidFinish()
        server.loop.resolver.lookup = { _ in
            .success([SocketAddress(numeric: "127.0.0.1", port: port)].compactMap(\.self))
        }
        let probe = LinkProbe(server)
        try probe.run()
        let failure = try end(server, probe).failure
        #expect(failure.reason == .connect)
        #expect(failure.phase == .connect)
        #expect(failure.isRetryable)
        #expect(failure.underlying?.text == "127.0.0.1:\(port): connection refused")
    }

    @Test func `an address that refuses gives way to the next one`() throws {
        let server = try ScriptedServer(UVLoop(), Step.upgrade + [.text("a"), .fin])
        let port = server.port
        server.loop.resolver.lookup = { _ in
            .success(["::1", "127.0.0.1"].compactMap { SocketAddress(numeric: $0, port: port) })
        }
        let probe = LinkProbe(server)
        try probe.run()
        #expect(probe.texts == ["a"])
    }

    @Test(arguments: ["[::1]", "[::1%25\(loopback)]", "[0:0:0:0:0:0:0:1%251]"])
    func `an IPv6 literal is an address, and stands in brackets and without its zone in the Host header`(
        literal: String
    ) throws {
        guard let server = try? ScriptedServer(UVLoop(), host: "::1", tls: true, Step.upgrade + [.text("a"), .fin])
        else { return }  // A machine without IPv6.
        let probe = LinkProbe(server)
        try probe.run(host: literal)
        #expect(probe.texts == ["a"])
        let header = literal.hasPrefix("[::1") ? "[::1]" : "[0:0:0:0:0:0:0:1]"
        #expect(try server.first.requests.first?.host == "\(header):\(server.port)")
    }

    /// The name of interface 1.
    private static let loopback: String = {
        #if canImport(Darwin)
        "lo0"
        #else
        "lo"
        #endif
    }()

    @Test func `an address on an interface that there is not fails to connect, and says so`() throws {
        let server = try ScriptedServer(UVLoop(), [])
        let probe = LinkProbe(server)
        try probe.run(host: "[fe80::1%25missing0]")
        let failure = try end(server, probe).failure
        #expect(failure.reason == .connect)
        #expect(failure.phase == .connect)
        // It may appear: a tunnel, for example.
        #expect(failure.isRetryable)
        #expect(failure.underlying?.text == "no network interface is called “missing0”")
    }

    @Test(arguments: [true, false])
    func `a name that is not resolved fails in its own phase`(isNoSuchName: Bool) throws {
        let server = try ScriptedServer(UVLoop(), [])
        server.loop.resolver.lookup = { _ in
            .failure(ResolverError(code: -2, text: "not known", isNoSuchName: isNoSuchName))
        }
        let probe = LinkProbe(server)
        try probe.run()
        let failure = try end(server, probe).failure
        #expect(failure.reason == .dns)
        #expect(failure.phase == .dns)
        #expect(failure.isRetryable == !isNoSuchName)
    }

    @Test func `a look-up that never ends is cut off`() throws {
        let server = try ScriptedServer(UVLoop(), [])
        let gate = Gate()
        defer { gate.open(2) }
        server.loop.resolver.lookup = { _ in
            gate.wait()
            return .success([])
        }
        let probe = LinkProbe(server)
        try probe.run { $0.dns = .milliseconds(20) }
        let failure = try end(server, probe).failure
        #expect(failure.reason == .timeout)
        #expect(failure.phase == .dns)
        #expect(failure.underlying?.text == "the system's resolver does not answer")
    }

    @Test func `a look-up that waits behind stuck ones has its deadline too, and says so`() throws {
        let server = try ScriptedServer(UVLoop(), [])
        let gate = Gate()
        defer { gate.open(8) }
        server.loop.resolver.lookup = { _ in
            gate.wait()
            return .success([])
        }
        let others = ResolutionProbe()
        let stuck = (0..<4).map { server.loop.resolver.resolve("stuck\($0)", port: 1, owner: others) }
        let probe = LinkProbe(server)
        probe.didEnd = { _, _ in for resolution in stuck { resolution.cancel() } }
        try probe.run { $0.dns = .milliseconds(20) }
        let failure = try end(server, probe).failure
        #expect(failure.reason == .timeout)
        #expect(failure.phase == .dns)
        #expect(failure.description.contains("the system's resolver answers none of the 8 look-ups before this one"))
    }

    @Test func `a server that says nothing at all is cut off in the TLS handshake`() throws {
        let server = try ScriptedServer(UVLoop(), tls: true, [.deaf])
        let probe = LinkProbe(server)
        try probe.run { $0.tls = .milliseconds(20) }
        let failure = try end(server, probe).failure
        #expect(failure.reason == .timeout)
        #expect(failure.phase == .tls)
        #expect(probe.phases.last == .securing)
    }

    @Test(arguments: [[], [.bytes(Array("HTTP/1.1 101 Switching".utf8))]] as [[Step]])
    func `an upgrade that is not answered, or by half, is cut off`(answer: [Step]) throws {
        let server = try ScriptedServer(UVLoop(), tls: true, [.request] + answer + [.clientEnd])
        let probe = LinkProbe(server)
        try probe.run { $0.upgrade = .milliseconds(20) }
        let failure = try end(server, probe).failure
        #expect(failure.reason == .timeout)
        #expect(failure.phase == .upgrade)
    }

    @Test(
        arguments: [
            ("HTTP/1.1 403 Forbidden\r\n\r\n", .httpForbidden, 403),
            ("HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\n\r\n", .httpTooManyRequests, 429),
            ("HTTP/1.1 403 Forbidden\r\nContent-Le", .httpForbidden, 403),
            ("HTTP/1.1 503 Later\r\n", .invalidStatusCode, 503),
            ("HTTP/1.1 101 Switching Protocols\r\nUpgr", .connectionClosed, nil), ("", .connectionClosed, nil),
            ("HTTP/1.1 101 Switching Protocols\r\n\r\n", .invalidHandshake, nil), ("SSH-2.0-", .invalidHandshake, nil),
        ] as [(String, FailureReason, Int?)])
    func `a refused upgrade keeps its status, even if its head is cut off`(
        head: String, reason: FailureReason, status: Int?
    ) throws {
        let server = try ScriptedServer(UVLoop(), [.request, .bytes(Array(head.utf8)), .fin])
        let probe = LinkProbe(server)
        try probe.run()
        let failure = try end(server, probe).failure
        #expect(failure.reason == reason)
        #expect(failure.status == status)
        #expect(failure.phase == .upgrade)
        #expect(failure.retryAfter == (status == 429 ? .seconds(7) : nil))
    }

    // MARK: - EOF and reset

    /// How far a connection gets before it breaks.
    enum Reach: CaseIterable {
        case tls, upgrade, open, close

        var script: [Step] {
            switch self {
            case .tls: [.deaf, .turn, .turn]
            // A reset in the same turn as the session tickets would look like an EOF (libuv's POLLHUP).
            case .upgrade: [.request, .turn, .turn]
            case .open: Step.upgrade + [.text("a"), .turn]
            case .close: Step.upgrade + [.closeFrame]
            }
        }

        var phase: ChannelFailure.Phase {
            switch self {
            case .tls: .tls
            case .upgrade: .upgrade
            case .open: .open
            case .close: .close
            }
        }
    }

    @Test(arguments: Reach.allCases, [[.fin], [.closeNotify, .fin], [.reset]] as [[Step]])
    func `a connection that breaks says in which phase`(reach: Reach, breaking: [Step]) throws {
        // Before it is established, TLS cannot send close_notify.
        if reach == .tls, breaking.count == 2 { return }
        let server = try ScriptedServer(UVLoop(), tls: true, reach.script + breaking)
        let probe = LinkProbe(server)
        if reach == .close { probe.didOpen = { _, link in link.sendClose(.normal) } }
        try probe.run()
        let end = try end(server, probe)
        #expect(end.failure.reason == .connectionClosed)
        #expect(end.failure.phase == reach.phase)
        #expect(end.closeCode == nil)
        #expect(probe.texts == (reach == .open ? ["a"] : []))
        if case .reset = breaking[0] {
            #expect(end.failure.underlying?.text == "connection reset by peer")
        } else {
            let isTruncated = end.failure.underlying?.text.hasSuffix("and without close_notify") == true
            #expect(isTruncated == (breaking.count == 1 && [.open, .close].contains(reach)))
        }
    }

    // MARK: - The closing handshake

    @Test(arguments: [nil, 1000, 1001, 1011, 4003] as [UInt16?], [false, true])
    func `the peer closes, and gets its code back`(code: UInt16?, tls: Bool) throws {
        let code = code.map(CloseCode.init(rawValue:))
        let server = try ScriptedServer(
            UVLoop(), tls: tls,
            Step.upgrade + [.text("a"), .close(code, code == nil ? "" : "so long"), .closeFrame, .fin])
        let probe = LinkProbe(server)
        try probe.run()
        let end = try end(server, probe)
        #expect(probe.texts == ["a"])
        #expect(end.closeCode == code?.rawValue ?? 1005)
        #expect(end.failure.reason == .connectionClosed)
        #expect(end.failure.underlying?.text == (code == nil ? "" : "so long"))
        #expect(try server.first.closeCodes == [code])
        #expect(try server.first.hadCloseNotify == tls)
        #expect(try server.first.ending == "EOF")
    }

    @Test(arguments: [false, true])
    func `we close, and the peer answers`(tls: Bool) throws {
        let server = try ScriptedServer(UVLoop(), tls: tls, Step.upgrade + Step.goodbye)
        let probe = LinkProbe(server)
        probe.didOpen = { _, link in link.sendClose(.normal) }
        try probe.run()
        #expect(try end(server, probe).closeCode == 1000)
        #expect(try server.first.closeCodes == [.normal])
        #expect(try server.first.ending == "EOF")
    }

    @Test func `a peer that never answers our Close frame is cut off, however much it keeps sending`() throws {
        let server = try ScriptedServer(
            UVLoop(), Step.upgrade + [.closeFrame] + (0..<50).flatMap { [.notify($0), .turn] } + [.clientEnd])
        let probe = LinkProbe(server)
        probe.didOpen = { _, link in link.sendClose(.normal) }
        try probe.run { $0.close = .milliseconds(30) }
        let failure = try end(server, probe).failure
        #expect(failure.reason == .timeout)
        #expect(failure.phase == .close)
    }

    @Test func `the deadline of the closing handshake holds for the end of the connection too`() throws {
        let server = try ScriptedServer(UVLoop(), Step.upgrade + [.closeFrame, .close(.normal, ""), .stopReading])
        let probe = LinkProbe(server)
        probe.didOpen = { _, link in link.sendClose(.normal) }
        var remaining: Duration?
        probe.didEnd = { _, link in
            #expect(link.phase == .lingering)
            remaining = link.deadline.map { $0 - server.loop.now.instant }
        }
        try probe.run { $0.close = .milliseconds(40) }
        #expect(try #require(remaining) <= .milliseconds(40))
    }

    // MARK: - Violations

    @Test(
        arguments: [
            (.frame(first: 0x81, second: 0x81, [0, 0, 0, 0, 0x61]), .protocolError),
            (.frame(first: 0xC1, second: 0), .protocolError), (.frame(first: 0x83, second: 0), .protocolError),
            (.frame(first: 0x09, second: 0), .protocolError), (.frame(first: 0x80, second: 0), .protocolError),
            (.frame(first: 0x88, second: 1, [3]), .protocolError),
            (.frame(first: 0x88, second: 2, [3, 0xED]), .protocolError),
            (.frame(first: 0x81, second: 1, [0xFF]), .invalidPayload),
            (.frame(first: 0x82, second: 0x7E, [0, 0x7F]), .messageTooBig),
        ] as [(Step, CloseCode)], [false, true])
    func `a broken rule is answered with its code, which arrives`(breach: (Step, CloseCode), tls: Bool) throws {
        // The noise makes a reset likely that would destroy our Close frame if the socket were just closed.
        let noise = [UInt8](repeating: 0, count: 400_000)
        let server = try ScriptedServer(
            UVLoop(), tls: tls, Step.upgrade + [.text("a"), breach.0, .bytes(noise), .closeFrame, .fin])
        let probe = LinkProbe(server)
        try probe.run(limit: 126)
        let end = try end(server, probe)
        #expect(probe.texts == ["a"])
        #expect(end.failure.reason == (breach.1 == .messageTooBig ? .messageTooLarge : .protocolViolation))
        #expect(end.failure.phase == .open)
        #expect(end.closeCode == nil)
        #expect(try server.first.closeCodes == [breach.1])
        #expect(try server.first.ending == "EOF")
    }

    @Test func `bytes that are not TLS are a broken rule`() throws {
        let server = try ScriptedServer(
            UVLoop(), tls: true, [.deaf, .bare(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))])
        let probe = LinkProbe(server)
        try probe.run()
        let failure = try end(server, probe).failure
        #expect(failure.reason == .protocolViolation)
        #expect(failure.phase == .tls)
    }

    @Test func `a refusal for want of a client certificate belongs to the TLS handshake`() throws {
        // The alert of TLS 1.3 arrives after the client has completed its handshake.
        let error = TLSError(
            operation: "SSL_read_ex", code: 0, text: "", fault: .alertReceived(116, "certificate required"))
        let failure = ChannelFailure(.tls(error, during: .upgrade))
        #expect(failure.reason == .tlsClientCertificate)
        #expect(failure.phase == .tls)
    }
}
