import GenesysLoop
import GenesysPlatform
import GenesysSimulator
import Testing

extension PageCodeTests {
    @Suite struct WithoutURITests {
        private func service(
            on loop: UVLoop, _ configure: (inout SimulatedService.Configuration) -> Void
        ) throws -> (region: PlatformRegion, configuration: SimulatedService.Configuration) {
            var configuration = SimulatedService.Configuration()
            configuration.publishing.rate = 100
            configure(&configuration)
            let server = try SimulatorServer(on: loop, tls: false, configuration: configuration, seed: 1)
            server.start()
            return (try PlatformRegion(loginBase: server.restBase, apiBase: server.restBase), configuration)
        }

        @Test func `a refused topic is named with what it needs, and the other one is delivered`() throws {
            let loop = try UVLoop()
            let (region, configuration) = try service(on: loop) {
                $0.tokens.areRequired = true
                $0.channels.forbiddenTopics = ["v2.users.ID.routingStatus"]
            }
            let tokens = configuration.tokens
            Printed.begin { lines in
                if lines.contains("v2.users.ID.presence") { loop.execute { loop.closeAll() } }
            }
            try WithoutURI.run(region, id: tokens.clientID, secret: tokens.clientSecret, on: loop)
            let lines = Printed.end()
            #expect(lines.first?.hasPrefix("v2.users.ID.routingStatus needs ") == true, "\(lines)")
            #expect(lines.last == "v2.users.ID.presence", "\(lines)")
        }

        @Test func `the host's answer is a token, or a sentence that says where it is missing`() throws {
            for given in [(token: "token", lifetime: Duration.seconds(3_600)), nil] {
                let loop = try UVLoop()
                let (region, _) = try service(on: loop) { _ in }
                let platform = try Platform(
                    region: region, credentials: TokensOfTheHost.credentials { _ in given }, on: loop)
                Printed.begin { _ in loop.execute { loop.closeAll() } }
                let host = WithoutURI.Host()
                let channel = try ProvisionedChannel(topics: ["v2.users.ID.presence"], on: platform, delegate: host)
                channel.open()
                loop.run()
                let line = try #require(Printed.end().first)
                let isFailure = line.contains("the broker gave no token") && line.contains("Ask its operators")
                #expect(given == nil ? isFailure : line == "v2.users.ID.presence", "\(line)")
            }
        }
    }
}
