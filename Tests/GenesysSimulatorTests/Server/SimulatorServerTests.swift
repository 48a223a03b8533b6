import Foundation
import GenesysLoop
import GenesysSimulator
import Testing

@Suite struct SimulatorServerTests {
    @Test func `a port in use is named`() throws {
        let stage = try ServerStage()
        let error = #expect(throws: SimulatorError.self) {
            _ = try SimulatorServer(on: stage.loop, port: stage.server.port, seed: 1)
        }
        #expect(error?.kind == .addressInUse)
        #expect(error?.description.contains("Port \(stage.server.port) on 127.0.0.1 is in use") == true)
        stage.end()
        stage.run()
    }

    @Test func `an address that is none of ours is named`() throws {
        let loop = try UVLoop()
        for host in ["192.0.2.1", "localhost", ""] {
            let error = #expect(throws: SimulatorError.self) {
                _ = try SimulatorServer(on: loop, host: host, tls: false, seed: 1)
            }
            #expect(error?.kind == .cannotListen)
        }
    }

    @Test func `a server that was never started closes and lets the loop end`() throws {
        let loop = try UVLoop()
        var closedCount = 0
        let server = try SimulatorServer(on: loop, tls: false, seed: 1)
        server.close { closedCount += 1 }
        server.close { closedCount += 1 }
        loop.run()
        #expect(closedCount == 2)
        server.close { closedCount += 1 }
        #expect(closedCount == 2)
        loop.run()
        #expect(closedCount == 3)
    }

    @Test func `a server that is dropped unused leaves nothing`() throws {
        let loop = try UVLoop()
        _ = try SimulatorServer(on: loop, seed: 1)
        loop.run()
    }

    @Test func `a refused creation is thrown`() throws {
        let stage = try ServerStage()
        stage.server.configuration.channels.creationRefusal = .tooManyRequests(retryAfter: 3)
        #expect(throws: SimulatedService.Refusal.tooManyRequests(retryAfter: 3)) {
            _ = try stage.server.createChannel()
        }
        stage.end()
        stage.run()
    }

    @Test func `topics can be managed by REST`() throws {
        let stage = try ServerStage()
        let states = try stage.server.changeSubscriptions([stageTopic], of: stage.id)
        #expect(states.map(\.topic) == [stageTopic])
        #expect(states.map(\.isPermitted) == [true])
        let host = Host()
        host.didSubscribe = { _ in stage.publish(1) }
        host.didReceive = { channel, _ in
            try? stage.server.removeSubscriptions(of: stage.id)
            channel.close()
        }
        try stage.open(host, topics: [])
        stage.run()
        #expect(host.numbers == [1])
        #expect(stage.server.receivedSubscribeCount == 0)
    }

    @Test func `a second socket ends the first with 1000`() throws {
        let stage = try ServerStage { $0.endings.supersededDelay = .zero ... .milliseconds(5) }
        let first = try RawClient(stage)
        var second: RawClient?
        first.didOpen = { _ in second = try? RawClient(stage) }
        first.didReceiveClose = { client in client.send(.close, [3, 232]) }
        first.didEnd = { _ in
            second?.didEnd = { _ in stage.end() }
            second?.send(.close, [3, 232])
        }
        stage.run()
        #expect(first.closeCode == .normal)
        #expect(second?.closeCode == .normal)
        #expect(stage.server.acceptedSocketCount == 2)
    }

    @Test func `a client that does not read is dropped, one that reads gets everything`() throws {
        let message = [UInt8](repeating: UInt8(ascii: "x"), count: 262_144)
        for reads in [true, false] {
            let stage = try ServerStage(tls: false)
            stage.server.maxQueuedByteCount = 1_048_576
            let client = try RawClient(stage)
            let pump = Pump(stage.loop) { pump in
                let (sent, received) = (stage.server.sentMessageCount, client.messages.count)
                let isOpen = stage.server.openSocketCount > 0
                // A client that reads never gets more at a time than the bound allows, however slow the machine is.
                if !reads || sent < min(100, received + 3) { stage.server.inject(message) }
                switch (reads, isOpen) {
                case (true, true) where sent < 100: pump.again()
                case (true, true): client.send(.close, [3, 232])
                case (true, false): break
                case (false, true): pump.again()
                case (false, false): client.tcp.startReading()
                }
            }
            client.didOpen = { client in
                if !reads { client.tcp.stopReading() }
                pump.again()
            }
            client.didEnd = { _ in stage.end() }
            stage.run()
            // libuv reports a reset that follows unread bytes as the end of the stream.
            #expect(reads ? client.hasClosed : !client.hasClosed)
            #expect(reads ? client.messages.count == 100 : client.messages.count < stage.server.sentMessageCount)
        }
    }

    #if os(Linux)
    @Test func `two hundred connections leave no descriptor`() async {
        await #expect(processExitsWith: .success) {
            func descriptorCount() throws -> Int {
                try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
            }
            // Descriptors from the first use of OpenSSL and of name lookup stay open.
            try openAndClose(2)
            let before = try descriptorCount()
            try openAndClose(200)
            #expect(try descriptorCount() == before)
        }
    }
    #endif
}

/// Opens and closes this many channels one after the other, on one server.
private func openAndClose(_ count: Int) throws {
    let stage = try ServerStage()
    var closedCount = 0
    func next() {
        let host = Host()
        host.didSubscribe = { channel in channel.close() }
        do {
            try stage.open(host)
        } catch {
            Issue.record(error)
            return stage.end()
        }
        host.didFail = {
            Issue.record("\(String(describing: host.failure))")
            stage.end()
        }
        host.didClose = {
            // Only its own closures kept the host alive.
            host.forget()
            closedCount += 1
            if closedCount == count { stage.end() } else { next() }
        }
    }
    next()
    stage.run()
    #expect(closedCount == count)
    #expect(stage.server.acceptedSocketCount == count)
}
