import Testing

/// The client against servers that share no code with it, one of them behind nginx.
@Suite(.timeLimit(.minutes(patience(3)))) struct InteropTests {
    @Suite(.needs(.nodeWS)) struct NodeWS {
        @Test func `messages of every size and kind come back as they went`() async throws {
            try await InteropChecks.echoMessages(with: .nodeWS)
        }

        @Test func `messages come back in fragments with pings in between`() async throws {
            try await InteropChecks.receiveFragments(with: .nodeWS)
        }

        @Test func `pings are answered in both directions`() async throws {
            try await InteropChecks.exchangePings(with: .nodeWS)
        }

        @Test func `codes and reasons of Close frames arrive in both directions`() async throws {
            try await InteropChecks.exchangeCloses(with: .nodeWS)
        }

        @Test func `messages are compressed in both directions`() async throws {
            try await InteropChecks.echoCompressed(
                with: .nodeWS, answers: ["takeover", "no-takeover"], fragments: true)
        }

        @Test func `compression may be declined`() async throws {
            try await InteropChecks.echoDeclined(with: .nodeWS)
        }
    }

    @Suite(.needs(.websockets)) struct Websockets {
        @Test func `messages of every size and kind come back as they went`() async throws {
            try await InteropChecks.echoMessages(with: .websockets)
        }

        @Test func `messages come back in fragments with pings in between`() async throws {
            try await InteropChecks.receiveFragments(with: .websockets)
        }

        @Test func `pings are answered in both directions`() async throws {
            try await InteropChecks.exchangePings(with: .websockets)
        }

        @Test func `codes and reasons of Close frames arrive in both directions`() async throws {
            try await InteropChecks.exchangeCloses(with: .websockets)
        }

        @Test func `messages are compressed in both directions`() async throws {
            try await InteropChecks.echoCompressed(
                with: .websockets, answers: ["takeover", "no-takeover"], fragments: true)
        }

        @Test func `compression may be declined`() async throws {
            try await InteropChecks.echoDeclined(with: .websockets)
        }
    }

    @Suite(.needs(.aiohttp)) struct Aiohttp {
        @Test func `messages of every size and kind come back as they went`() async throws {
            try await InteropChecks.echoMessages(with: .aiohttp)
        }

        @Test func `pings are answered in both directions`() async throws {
            try await InteropChecks.exchangePings(with: .aiohttp)
        }

        @Test func `codes and reasons of Close frames arrive in both directions`() async throws {
            try await InteropChecks.exchangeCloses(with: .aiohttp)
        }

        @Test func `messages are compressed in both directions`() async throws {
            try await InteropChecks.echoCompressed(with: .aiohttp, answers: ["takeover"], fragments: false)
        }

        @Test func `compression may be declined`() async throws {
            try await InteropChecks.echoDeclined(with: .aiohttp)
        }
    }

    @Suite(.needs(.nginx)) struct Nginx {
        @Test func `messages of every size and kind come back as they went`() async throws {
            try await InteropChecks.echoMessages(with: .nginx)
        }

        @Test func `messages come back in fragments with pings in between`() async throws {
            try await InteropChecks.receiveFragments(with: .nginx)
        }

        @Test func `pings are answered in both directions`() async throws {
            try await InteropChecks.exchangePings(with: .nginx)
        }

        @Test func `codes and reasons of Close frames arrive in both directions`() async throws {
            try await InteropChecks.exchangeCloses(with: .nginx)
        }

        @Test func `messages are compressed in both directions`() async throws {
            try await InteropChecks.echoCompressed(with: .nginx, answers: ["takeover", "no-takeover"], fragments: true)
        }

        @Test func `compression may be declined`() async throws {
            try await InteropChecks.echoDeclined(with: .nginx)
        }
    }
}
