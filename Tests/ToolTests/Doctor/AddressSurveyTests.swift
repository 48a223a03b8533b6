import GenesysLoop
import Testing

@testable import genesys_loop

/// The survey of addresses, with a resolver of the test's own.
@Suite(.timeLimit(.minutes(patience(1)))) struct AddressSurveyTests {
    private final class Run {
        let loop: UVLoop
        let survey: AddressSurvey
        private(set) var checks: [Check] = []
        private(set) var endCount = 0

        init(_ addresses: [AddressFamily: [SocketAddress]], limit: Duration = .seconds(20)) throws {
            loop = try UVLoop()
            loop.resolver.lookup = { question in
                guard let found = addresses[question.family] else {
                    return .failure(ResolverError(code: -2, text: "not known", isNoSuchName: true))
                }
                return .success(found)
            }
            var deadlines = Deadlines()
            (deadlines.dns, deadlines.connect) = (limit, limit)
            survey = AddressSurvey(loop: loop, deadlines: deadlines)
            survey.didEnd = { [unowned self] in
                endCount += 1
                checks = survey.findings?.checks(nil) ?? []
            }
            survey.begin(host: "h.test", port: 1, isProxy: false)
        }

        func finish() {
            survey.complete()
            loop.run()
            #expect(endCount == 1)
        }
    }

    @Test func `what the channel's connection left open is found`() throws {
        let (live, dead) = (try HeldPort(listens: true), try HeldPort())
        let own = try #require(SocketAddress(numeric: "127.0.0.1", port: 1))
        let ipv4 = try [live, dead].map { try #require(SocketAddress(numeric: "127.0.0.1", port: $0.port)) }
        let ipv6 = try #require(SocketAddress(numeric: "::1", port: dead.port))
        let run = try Run([.ipv4: [own] + ipv4, .ipv6: [ipv6]])
        // The channel's own attempt accepted before the other family answered.
        run.survey.lookedUp(.ipv4, .success([own] + ipv4))
        run.survey.startedAttempt(at: own)
        run.survey.endedAttempt(at: own, nil)
        run.finish()
        #expect(run.checks.map(\.verdict) == [.ok, .warn, .ok, .ok, .warn])
        #expect(run.checks[2].detail == "127.0.0.1:1 accepts connections.", "its own result is not tried again")
        #expect(run.checks[0].detail.contains("IPv6: ::1; IPv4: 127.0.0.1, 127.0.0.1, 127.0.0.1"))
    }

    @Test func `a silent address ends with the deadline`() throws {
        let silent = try SilentPort()
        let address = try #require(SocketAddress(numeric: "127.0.0.1", port: silent.port))
        let run = try Run([.ipv4: [address]], limit: .milliseconds(200))
        run.survey.lookedUp(.ipv4, .success([address]))
        run.finish()
        #expect(run.checks.last?.detail == "127.0.0.1:\(silent.port): no answer.")
        withExtendedLifetime(silent) {}
    }

    @Test func `nothing is tried where no address accepted`() throws {
        let address = try #require(SocketAddress(numeric: "127.0.0.1", port: 1))
        let run = try Run([:])
        run.survey.lookedUp(.ipv4, .success([address]))
        run.survey.startedAttempt(at: address)
        run.survey.end()
        run.survey.end()
        run.loop.run()
        #expect(run.endCount == 1 && run.checks.count == 2)
    }

    @Test func `a survey that is abandoned reports nothing and leaves nothing open`() throws {
        let silent = try SilentPort()
        let address = try #require(SocketAddress(numeric: "127.0.0.1", port: silent.port))
        let run = try Run([.ipv4: [address], .ipv6: [address]])
        run.survey.lookedUp(.ipv4, .success([address]))
        run.survey.complete()
        run.survey.abandon()
        run.loop.run()
        #expect(run.endCount == 0)
        withExtendedLifetime(silent) {}
    }
}
