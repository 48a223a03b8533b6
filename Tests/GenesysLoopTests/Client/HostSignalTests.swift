import Foundation
import Testing

@testable import GenesysLoop

@Suite(.timeLimit(.minutes(patience(2)))) struct HostSignalTests {
    @Test func `a client that comes and goes leaves the signals of its host as they were`() async {
        await #expect(processExitsWith: .success) {
            // A host that handles some signals, ignores some and blocks one.
            signal(SIGUSR1) { _ in }
            signal(SIGUSR2, SIG_IGN)
            var blocked = sigset_t()
            // The set is valid during each call.
            unsafe sigemptyset(&blocked)
            unsafe sigaddset(&blocked, SIGURG)
            unsafe pthread_sigmask(SIG_BLOCK, &blocked, nil)
            let before = HostSignals()

            let server = try EchoServer(UVLoop(), tls: true)
            let host = WebSocketHost()
            host.onEvent = { event, client in
                guard event == .opened else { return }
                if HostSignals() != before { exit(2) }
                client.close()
            }
            // Over TLS and by name: OpenSSL, the resolver's threads and libuv have all run.
            try host.run(server)
            guard host.events.count == 2 else { exit(3) }
            guard HostSignals() == before, before.dispositions.contains(1) else { exit(1) }
        }
    }
}

/// The dispositions of a process's signals, and the blocked signals of its thread.
private struct HostSignals: Equatable {
    /// For each signal: 0 by default, 1 ignored, else the address of the handler.
    var dispositions: [UInt] = []
    var blocked: [Bool] = []

    init() {
        var mask = sigset_t()
        // The set, and below the action, are valid during the call.
        unsafe pthread_sigmask(SIG_BLOCK, nil, &mask)
        for number: Int32 in 1..<32 {
            var action = sigaction()
            guard unsafe sigaction(number, nil, &action) == 0 else { continue }
            dispositions.append(handler(of: action))
            blocked.append(unsafe sigismember(&mask, number) == 1)
        }
    }
}

/// The first word of the structure.
private func handler(of action: sigaction) -> UInt {
    // The copy lives during the call, and is larger than a word.
    unsafe withUnsafeBytes(of: action) { unsafe $0.loadUnaligned(as: UInt.self) }
}
