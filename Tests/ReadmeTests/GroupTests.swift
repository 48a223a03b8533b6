import GenesysLoop
import GenesysPlatform
import GenesysSimulator
import Testing

extension PageCodeTests {
    @Suite struct GroupTests {
        @Test func `a group counts the notifications of 1,001 users`() throws {
            let loop = try UVLoop()
            var configuration = SimulatedService.Configuration()
            configuration.tokens.areRequired = true
            configuration.publishing.rate = 1_000
            let server = try SimulatorServer(on: loop, tls: false, configuration: configuration, seed: 1)
            server.start()
            let client = try PlatformCredentials.client(
                id: configuration.tokens.clientID, secret: configuration.tokens.clientSecret)
            let region = try PlatformRegion(loginBase: server.restBase, apiBase: server.restBase)
            let platform = try Platform(region: region, credentials: client, on: loop)
            let board = UserBoard()
            let group = try openGroup(users: (0..<1_001).map { "\($0)" }, on: platform, board: board)
            for _ in 0..<10_000 where group.state != .subscribed || board.counts.count < 10 {
                loop.run(for: .milliseconds(1))
            }
            #expect(group.shards.count == 2 && board.counts.count >= 10 && board.gapCount == 0)
            loop.closeAll()
            loop.run()
            #expect(group.state == .ended)
        }
    }
}
