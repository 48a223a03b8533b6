import Foundation
import Testing

@testable import GenesysLoop

@Suite(.timeLimit(.minutes(patience(2)))) struct MisuseTests {
    @Test func `a call on a thread that is not the loop's traps with a sentence`() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let loop = try UVLoop()
            onOtherThread { loop.preconditionCurrent("Test.call") }
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("Test.call was called on a thread that is not its event loop's"))
    }

    @Test func `a bound value is refused on another thread`() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let loop = try UVLoop()
            let bound = LoopBound([1], on: loop)
            onOtherThread { print(bound.value) }
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("LoopBound.value"))
    }

    @Test func `keepsRunning is neither read nor set on another thread`() async {
        let read = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let loop = try UVLoop()
            onOtherThread { print(loop.keepsRunning) }
        }
        let set = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let loop = try UVLoop()
            onOtherThread { loop.keepsRunning = true }
        }
        for result in [read, set] {
            let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
            #expect(text.contains("UVLoop.keepsRunning was called on a thread that is not its event loop's"))
        }
    }

    @Test func `run inside run traps with a sentence`() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let loop = try UVLoop()
            loop.execute { loop.run() }
            loop.run()
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("running already"))
    }

    @Test func `an adopted loop can be neither run nor stopped by us`() async {
        await #expect(processExitsWith: .failure) {
            let foreign = ForeignLoop()
            try unsafe UVLoop(adopting: foreign.raw).run()
        }
        await #expect(processExitsWith: .failure) {
            let foreign = ForeignLoop()
            try unsafe UVLoop(adopting: foreign.raw).stop()
        }
        await #expect(processExitsWith: .failure) { try UVLoop().detach {} }
    }

    @Test func `a broken pipe is an error, never a signal`() async {
        await #expect(processExitsWith: .success) {
            let loop = try UVLoop()
            let pair = try ConnectedPair(loop)
            defer { pair.client.forget() }
            // The peer ends its output and then disappears: the kernel answers our writes with EPIPE.
            pair.client.connection?.startReading()
            pair.client.didEnd = { client in
                if client.events == [.eof] { pair.server.connection?.close() } else { loop.stop() }
            }
            pair.server.connection?.shutdown()
            let writer = TimerProbe(loop) { probe in
                pair.client.connection?.write([1])
                probe.start(after: .milliseconds(1))
            }
            writer.start(after: .zero)
            loop.run()
            guard pair.client.events == [.eof, .failed("EPIPE")] else { exit(1) }
        }
    }

    @Test func `a reset under a queue of bytes is an error, never a signal`() async {
        await #expect(processExitsWith: .success) {
            let loop = try UVLoop()
            let pair = try ConnectedPair(loop)
            defer { pair.client.forget() }
            pair.client.connection?.startReading()
            pair.client.connection?.write([UInt8](repeating: 7, count: 16 << 20))
            guard let queued = pair.client.connection?.queuedByteCount, queued > 0 else { exit(2) }
            pair.client.didEnd = { client in
                if client.events == [.eof] { pair.server.connection?.abort() } else { loop.stop() }
            }
            pair.server.connection?.shutdown()
            loop.run()
            guard pair.client.events.count == 2, pair.client.connection?.queuedByteCount == 0 else { exit(1) }
        }
    }

    @Test func `a process without free descriptors refuses connections and goes on listening`() async {
        await #expect(processExitsWith: .success) {
            var limit = rlimit(rlim_cur: 128, rlim_max: 128)
            guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { exit(3) }
            let loop = try UVLoop()
            let listener = try ListenerProbe(loop)
            let clients = (0..<8).map { _ in ConnectionProbe(loop) }
            let address = try listener.address
            // The sockets exist, the handshakes wait in the backlog; then no descriptor is left.
            clients.forEach { $0.connection?.connect(to: address) }
            defer { clients.forEach { $0.forget() } }
            var hoard: [Int32] = []
            while true {
                let descriptor = dup(0)
                guard descriptor >= 0 else { break }
                hoard.append(descriptor)
            }
            var ends = 0
            for client in clients {
                client.didConnect = { $0.connection?.startReading() }
                client.didEnd = { _ in
                    ends += 1
                    if ends == clients.count { loop.stop() }
                }
            }
            loop.run()
            guard ends == 8, listener.accepted.isEmpty, listener.failures.isEmpty else { exit(1) }
            hoard.forEach { _ = close($0) }
            let late = ConnectionProbe(loop)
            late.connection?.connect(to: address)
            listener.didAccept = { _, _ in loop.stop() }
            loop.run()
            guard listener.accepted.count == 1 else { exit(2) }
        }
    }
}
