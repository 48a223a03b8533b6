import Testing

@testable import GenesysLoop

@Suite(.timeLimit(.minutes(patience(1)))) struct LinkReadingTests {
    @Test(arguments: [false, true], [1, 7, Int.max])
    func `bytes may come in any pieces`(tls: Bool, chunk: Int) throws {
        let long = String(repeating: "z", count: chunk == 1 ? 300 : 70_000)
        let server = try ScriptedServer(
            UVLoop(), tls: tls,
            Step.upgrade + [
                .text("a"), .text(long), .text(""), .bytes(serverFrame(.text, Array("hé".utf8), isFinal: false)),
                .frame(.ping, [9]), .bytes(serverFrame(.continuation, Array("llo".utf8))), .frame(.binary, [1, 2]),
            ] + [.close(.normal, ""), .closeFrame, .closeNotify, .fin])
        server.chunk = chunk
        let probe = LinkProbe(server)
        try probe.run()
        #expect(probe.texts == ["a", long, "", "héllo", "\u{1}\u{2}"])
        #expect(probe.end?.closeCode == 1000)
        #expect(try server.first.pongs == [[9]])
        #expect(try server.first.hadCloseNotify == tls)
    }

    @Test(arguments: [0x0303, 0x0304])
    func `the records of both versions of TLS may come byte by byte`(version: Int) throws {
        let server = try ScriptedServer(
            UVLoop(), tls: true, maximumVersion: version,
            Step.upgrade + [.text("a"), .text("b")] + [.closeNotify, .fin])
        server.chunk = 1
        let probe = LinkProbe(server)
        try probe.run()
        #expect(probe.texts == ["a", "b"])
    }

    @Test func `the answer to the upgrade may share a segment with the first frames`() throws {
        let server = try ScriptedServer(UVLoop(), Step.upgrade + [.text("a"), .text("b"), .text("c"), .fin])
        let probe = LinkProbe(server)
        try probe.run()
        #expect(probe.texts == ["a", "b", "c"])
        #expect(probe.receiveCount == 1)
    }

    @Test(arguments: [false, true])
    func `many frames in one write are as many messages`(tls: Bool) throws {
        let all = (0..<20_000).map { "message \($0)" }
        let bytes = all.flatMap { serverFrame(.text, Array($0.utf8)) }
        let server = try ScriptedServer(UVLoop(), tls: tls, Step.upgrade + [.bytes(bytes), .fin])
        let probe = LinkProbe(server)
        try probe.run()
        #expect(probe.texts == all)
    }

    @Test(arguments: [false, true])
    func `a read that fills the buffer leaves something unread, and says so`(tls: Bool) throws {
        let bytes = (0..<20_000).flatMap { serverFrame(.text, Array("message \($0)".utf8)) }
        let server = try ScriptedServer(UVLoop(), tls: tls, Step.upgrade + [.bytes(bytes), .fin])
        let probe = LinkProbe(server)
        var answers: [Bool] = []
        probe.didReceive = { probe, _ in answers.append(probe.isDrained) }
        try probe.run()
        #expect(answers.contains(false))
        #expect(answers.last == true)
    }

    @Test(arguments: [false, true])
    func `a message of five megabytes arrives whole`(tls: Bool) throws {
        let payload = tlsPattern(5 * 1_024 * 1_024)
        let server = try ScriptedServer(UVLoop(), tls: tls, Step.upgrade + [.frame(.binary, payload), .fin])
        let probe = LinkProbe(server)
        try probe.run()
        #expect(probe.messages == [payload])
    }

    @Test(arguments: [[], [7], Array(repeating: 0x61, count: 125)] as [[UInt8]])
    func `a ping is answered with its payload, amid a fragmented message too`(payload: [UInt8]) throws {
        let server = try ScriptedServer(
            UVLoop(),
            Step.upgrade + [
                .frame(.ping, payload), .bytes(serverFrame(.text, [0x61], isFinal: false)), .frame(.ping, payload),
                .bytes(serverFrame(.continuation, [0x62])), .pong, .pong, .fin,
            ])
        let probe = LinkProbe(server)
        try probe.run()
        #expect(try server.first.pongs == [payload, payload])
        #expect(probe.texts == ["ab"])
    }

    @Test(arguments: [false, true], [1, 50, Int.max])
    func `a pause in the middle of a read keeps the order and loses nothing`(tls: Bool, chunk: Int) throws {
        let count = chunk == 1 ? 20 : 3_000
        let bytes = (0..<count).flatMap { serverFrame(.text, Array("message \($0)".utf8)) }
        let server = try ScriptedServer(UVLoop(), tls: tls, Step.upgrade + [.bytes(bytes), .fin])
        server.chunk = chunk
        let probe = LinkProbe(server)
        probe.didReceive = { probe, link in
            guard probe.messages.count % 5 == 1 else { return }
            pauseForATurn(link)
        }
        try probe.run()
        #expect(probe.texts == (0..<count).map { "message \($0)" })
        #expect(probe.end?.failure.reason == .connectionClosed)
    }

    @Test(arguments: [0, 1, 3], [5_000, 16_380, 20_000, 65_535])
    func `messages that straddle records arrive whole, with pauses between them too`(pause: Int, size: Int) throws {
        let payloads = (0..<40).map { [UInt8]($0 % 2 == 0 ? tlsPattern(size + $0) : [UInt8($0)]) }
        let bytes = payloads.flatMap { serverFrame(.binary, $0) }
        let server = try ScriptedServer(UVLoop(), tls: true, Step.upgrade + [.bytes(bytes), .fin])
        let probe = LinkProbe(server)
        probe.didReceive = { probe, link in
            guard pause > 0, probe.messages.count % pause == 0 else { return }
            pauseForATurn(link)
        }
        try probe.run()
        #expect(probe.messages == payloads)
        #expect(probe.end?.failure.reason == .connectionClosed)
    }

    @Test(arguments: [[.closeNotify, .fin], [.fin], [.reset]] as [[Step]])
    func `a connection that ends in the middle of a message delivers what was whole`(ending: [Step]) throws {
        let whole = tlsPattern(10_000)
        let part = serverFrame(.binary, whole).dropLast()
        let server = try ScriptedServer(
            UVLoop(), tls: true, Step.upgrade + [.frame(.binary, whole), .bytes(Array(part)), .turn, .turn] + ending)
        let probe = LinkProbe(server)
        try probe.run()
        #expect(probe.messages == [whole])
        #expect(probe.end?.failure.reason == .connectionClosed)
        #expect(probe.endCount == 1)
    }

    @Test func `text that stops being UTF-8 fails before its message is whole`() throws {
        var part = serverFrame(.text, [UInt8](repeating: 0x61, count: 10_000)).prefix(5_000)
        part[4_000] = 0xFF
        let server = try ScriptedServer(
            UVLoop(), tls: true, Step.upgrade + [.text("a"), .bytes(Array(part)), .closeFrame, .closeNotify, .fin])
        let probe = LinkProbe(server)
        try probe.run()
        #expect(probe.texts == ["a"])
        #expect(probe.end?.failure.reason == .protocolViolation)
    }

    @Test(
        arguments: [
            ([.closeNotify, .fin], .connectionClosed, nil), ([.fin], .connectionClosed, nil),
            ([.close(.goingAway, ""), .closeNotify, .fin], .connectionClosed, 1001),
            ([.frame(first: 0x83, second: 0), .closeNotify, .fin], .protocolViolation, nil),
            (garbage, .protocolViolation, nil),
            ([.close(.goingAway, "")] + garbage, .connectionClosed, 1001),
        ] as [([Step], FailureReason, UInt16?)], [(10, false), (10, true), (1, false)])
    func `what was read before the end is delivered after a pause, then the end is told`(
        ending: (script: [Step], reason: FailureReason, code: UInt16?), messages: (count: Int, areApart: Bool)
    ) throws {
        let count = messages.count
        let steps = (0..<count).map { Step.text("message \($0)") }
        let server = try ScriptedServer(
            UVLoop(), tls: true, Step.upgrade + [.turn] + (messages.areApart ? apart(steps) : steps) + ending.script)
        let probe = LinkProbe(server)
        var countAtEnd = 0
        var hasPaused = false
        probe.didReceive = { probe, link in
            guard !hasPaused else { return }
            hasPaused = true
            link.pauseReading()
            // Whether or not it can still be sent.
            link.send(.text, [0x61])
            let bound = LoopBound(link, on: server.loop)
            // A few turns later: the end has arrived by then.
            let loop = server.loop
            loop.execute { loop.execute { loop.execute { bound.value.resumeReading() } } }
        }
        probe.didEnd = { probe, _ in countAtEnd = probe.messages.count }
        try probe.run()
        #expect(probe.texts == (0..<count).map { "message \($0)" })
        #expect(countAtEnd == count)
        #expect(probe.end?.failure.reason == ending.reason)
        #expect(probe.end?.closeCode == ending.code)
        #expect(probe.endCount == 1)
        #expect(probe.finishCount == 1)
    }

    @Test(arguments: [0, 1, 30], [false, true])
    func `a Close frame and a broken rule count, whatever garbage is behind them`(count: Int, isClose: Bool) throws {
        let texts = (0..<count).map { "message \($0)" }
        let last: Step = isClose ? .close(.goingAway, "bye") : .frame(first: 0x83, second: 0)
        let server = try ScriptedServer(
            UVLoop(), tls: true, Step.upgrade + [.turn] + apart(texts.map { .text($0) } + [last]) + garbage)
        let probe = LinkProbe(server)
        try probe.run()
        #expect(probe.texts == texts)
        #expect(probe.end?.closeCode == (isClose ? 1001 : nil))
        #expect(probe.end?.failure.reason == (isClose ? .connectionClosed : .protocolViolation))
        #expect(probe.end?.failure.underlying?.operation == (isClose ? "close" : "RFC 6455 §5.2"))
        #expect(probe.endCount == 1)
    }

    @Test(arguments: [100, 3_000])
    func `messages in records of their own arrive whole and in order, with pauses between them too`(size: Int) throws {
        let payloads = (0..<300).map { tlsPattern(size + $0) }
        let server = try ScriptedServer(
            UVLoop(), tls: true, Step.upgrade + apart(payloads.map { .frame(.binary, $0) }) + [.fin])
        let probe = LinkProbe(server)
        probe.didReceive = { probe, link in
            guard probe.messages.count % 7 == 0 else { return }
            pauseForATurn(link)
        }
        try probe.run()
        #expect(probe.messages == payloads)
        #expect(probe.end?.failure.reason == .connectionClosed)
    }

    @Test(arguments: [nil, 1001] as [UInt16?])
    func `a connection that breaks while paused loses nothing that was read`(code: UInt16?) throws {
        let loop = try UVLoop()
        var bytes = (0..<10).flatMap { serverFrame(.text, Array("message \($0)".utf8)) }
        if let code { bytes += serverFrame(.close, FrameEncoder.closePayload(CloseCode(rawValue: code))) }
        var probe: LinkProbe?
        var server: ScriptedServer?
        let isPaused = { probe?.link?.isPaused == true }
        let write = {
            probe?.link?.send(.text, [0x61])
            probe?.link?.flush()
        }
        let script: [Step] =
            Step.upgrade + [
                .bytes(bytes), .turn, .until(isPaused), .act { server?.connections.first?.tcp.abort() }, .turn,
                .act(write), .turn, .act(write), .turn, .act { probe?.link?.resumeReading() }, .reset,
            ]
        let made = try ScriptedServer(loop, script)
        server = made
        let link = LinkProbe(made)
        probe = link
        link.didReceive = { probe, link in if probe.messages.count == 1 { link.pauseReading() } }
        try link.run()
        #expect(link.messages.count == 10)
        #expect(link.endCount == 1)
        #expect(link.end?.failure.reason == .connectionClosed)
        #expect(link.end?.closeCode == code)
        (probe, server) = (nil, nil)
    }
}

/// Resumes at the next turn of the loop.
private func pauseForATurn(_ link: Link) {
    link.pauseReading()
    let bound = LoopBound(link, on: link.loop)
    link.loop.execute { bound.value.resumeReading() }
}

/// Each in its own record.
private func apart(_ steps: [Step]) -> [Step] {
    steps.flatMap { [$0, .act {}] }
}

/// A record that cannot be decrypted, and the end.
private let garbage: [Step] = [.bare([23, 3, 3, 0, 17] + [UInt8](repeating: 0, count: 17)), .fin]

extension Step: CustomTestStringConvertible {
    var testDescription: String { String("\(self)".prefix(40)) }
}
