import Foundation
import Testing

@testable import GenesysLoop

/// A process without free file descriptors: each test in a process of its own.
@Suite(.timeLimit(.minutes(patience(1)))) struct DescriptorTests {
    /// Holds all descriptors that the process may have.
    private final class Hoard {
        private var descriptors: [Int32] = []

        /// Takes all free ones, if there are not too many.
        ///
        /// - Parameter spared: the number of descriptors to leave free.
        func fill(but spared: Int = 0) {
            var limit = rlimit(rlim_cur: 128, rlim_max: 128)
            guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { exit(70) }
            while true {
                let descriptor = dup(0)
                guard descriptor >= 0 else { break }
                descriptors.append(descriptor)
            }
            for _ in 0..<spared { if let last = descriptors.popLast() { close(last) } }
        }

        /// Whether no descriptor is free; another thread of the process may have closed one.
        var isFull: Bool {
            let descriptor = dup(0)
            guard descriptor >= 0 else { return true }
            close(descriptor)
            return false
        }

        func release() {
            for descriptor in descriptors { close(descriptor) }
            descriptors = []
        }
    }

    @Test func `no loop can be made, and that is an error`() async {
        await #expect(processExitsWith: .success) {
            let hoard = Hoard()
            hoard.fill()
            do {
                _ = try UVLoop()
                exit(1)
            } catch {
                guard "\(error)".contains("too many open files") else { exit(2) }
            }
            hoard.release()
            try UVLoop().run()
        }
    }

    @Test func `a connection that has no socket fails under the policy, and is made when there is one`() async {
        await #expect(processExitsWith: .success) {
            let server = try ScriptedServer(UVLoop(), Step.subscription + [.notify(1)] + Step.goodbye)
            let host = ChannelHost()
            let hoard = Hoard()
            hoard.fill()
            var reasons: [FailureReason] = []
            host.didHear = { _, event in
                guard case .reconnecting(let reason) = event else { return }
                reasons.append(reason)
                // Each waits for the back-off: the third has descriptors.
                if reasons.count == 2 { hoard.release() }
            }
            host.didReceive = { channel, _ in channel.close() }
            try host.run(on: server, host: "127.0.0.1") { $0.reconnect = .backoff(.init()) }
            guard reasons == [.connect, .connect], host.numbers == [1], host.events.last == .closed else { exit(1) }
        }
    }

    @Test func `a connection that has no socket ends a channel that is not to try again`() async {
        await #expect(processExitsWith: .success) {
            let server = try ScriptedServer(UVLoop(), [])
            let host = ChannelHost()
            let hoard = Hoard()
            hoard.fill()
            try host.run(on: server, host: "127.0.0.1")
            guard let failure = host.failure, failure.reason == .connect, failure.phase == .connect else { exit(1) }
            let sentence = """
                The channel could not be opened: no TCP connection could be made (127.0.0.1:\(server.port): too many \
                open files). Raise the limit of open files, or close some.
                """
            guard failure.description == sentence else { exit(2) }
        }
    }

    @Test func `a name that cannot be looked up for want of descriptors is not one that does not exist`() async {
        await #expect(processExitsWith: .success) {
            // With none at all, and with so few that the system's resolver starts but cannot continue.
            for count in 0...6 {
                let hoard = Hoard()
                for family in AddressFamily.allCases {
                    let question = LookupQuestion(host: "localhost", port: 1, family: family)
                    var answer: Result<[SocketAddress], ResolverError>
                    repeat {
                        hoard.release()
                        hoard.fill(but: count)
                        answer = Resolver.systemLookup(question)
                    } while count == 0 && !hoard.isFull
                    switch answer {
                    case .success(let addresses):
                        guard count > 0 else { exit(1) }
                        // The machine may lack an IPv6 address.
                        guard family == .ipv6 || addresses.contains(where: { $0.host == "127.0.0.1" }) else { exit(3) }
                    case .failure(let error):
                        guard !error.isNoSuchName, !error.text.isEmpty, count < 6 else { exit(2) }
                    }
                }
                hoard.release()
            }
        }
    }
}
