import Testing

@testable import GenesysLoop

@Suite(.timeLimit(.minutes(patience(1)))) struct ChannelPauseTests {
    /// Ten thousand bytes of notifications in one write, which need several TLS records, then a clean end.
    private func script(_ count: Int, padding: Int = 0) -> [Step] {
        Step.subscription + [.turn] + (1...count).map { .text(notification($0, padding: padding)) } + Step.goodbye
    }

    @Test(arguments: [false, true], [0, 5_000])
    func `pausing and resuming within a callback loses nothing`(tls: Bool, padding: Int) throws {
        let server = try ScriptedServer(UVLoop(), tls: tls, script(200, padding: padding))
        let host = ChannelHost()
        host.didReceive = { channel, number in
            channel.pause()
            channel.resume()
            if number == 200 { channel.close() }
        }
        try host.run(on: server)
        #expect(host.numbers == Array(1...200))
        #expect(host.events == [.subscribed, .closed])
    }

    @Test(arguments: [false, true], [0, 5_000])
    func `a pause within a callback stops delivery at once, a later resume goes on there`(
        tls: Bool, padding: Int
    ) throws {
        let server = try ScriptedServer(UVLoop(), tls: tls, script(200, padding: padding))
        let loop = server.loop
        let host = ChannelHost()
        var isPaused = false
        host.didReceive = { channel, number in
            #expect(!isPaused)
            guard number < 200 else { return channel.close() }
            guard number % 3 == 0 else { return }
            channel.pause()
            isPaused = true
            let bound = LoopBound(channel, on: loop)
            let unpause = LoopBound({ isPaused = false }, on: loop)
            loop.execute {
                unpause.value()
                bound.value.resume()
            }
        }
        try host.run(on: server)
        #expect(host.numbers == Array(1...200))
    }

    @Test func `a channel that is closed while paused in the middle of a read delivers nothing more`() throws {
        let server = try ScriptedServer(UVLoop(), tls: true, script(200))
        let host = ChannelHost()
        host.didReceive = { channel, number in
            guard number == 10 else { return }
            channel.pause()
            channel.close()
        }
        try host.run(on: server)
        #expect(host.numbers == Array(1...10))
        #expect(host.events == [.subscribed, .closed])
    }

    @Test func `two channels on one loop may pause, resume and close each other while both are read`() throws {
        let loop = try UVLoop()
        let servers = try [true, false].map { try ScriptedServer(loop, tls: $0, script(300, padding: 400)) }
        let hosts = [ChannelHost(), ChannelHost()]
        let channels = try zip(hosts, servers).map { try $0.channel(to: $1) }
        for (index, host) in hosts.enumerated() {
            let other = channels[1 - index]
            host.didReceive = { channel, number in
                other.pause()
                other.resume()
                if number == 150 { channel.pause() }
                if number == 200 { other.resume() }
                if number == 300 { channel.close() }
            }
        }
        for channel in channels { channel.open() }
        var running = 2
        for (host, server) in zip(hosts, servers) {
            host.didEnd = {
                server.clientDidFinish()
                running -= 1
            }
        }
        // The clock resumes what the other one no longer resumes.
        let clock = TimerProbe(loop) { clock in
            for channel in channels { channel.resume() }
            if running > 0 { clock.start(after: .milliseconds(1)) } else { clock.drop() }
        }
        clock.start(after: .milliseconds(1))
        loop.run()
        for host in hosts {
            #expect(host.numbers == Array(1...300))
            #expect(host.events == [.subscribed, .closed])
            host.forget()
        }
        for connection in servers.flatMap(\.connections) { connection.forget() }
    }
}
