import GenesysLoop
import GenesysPlatform

struct WithoutURI {
    final class Host: ProvisionedChannelDelegate {
        func channel(_ channel: ProvisionedChannel, didReceive notification: ChannelNotification) {
            print(notification.topic)
        }

        func channel(_ channel: ProvisionedChannel, didReject topics: RejectedTopics) {
            for refusal in topics.rejections {
                print("\(refusal.topic) needs \(refusal.missingPermissions.joined(separator: " and "))")
            }
        }

        func channel(_ channel: ProvisionedChannel, didMiss gap: Gap) { print(gap, "Read the state again over REST.") }
        func channel(_ channel: ProvisionedChannel, didFail failure: ChannelFailure) { print(failure) }
    }

    static func run(_ region: PlatformRegion, id: String, secret: String, on loop: UVLoop) throws {
        let platform = try Platform(region: region, credentials: .client(id: id, secret: secret), on: loop)
        let host = Host()  // keep it: a channel holds its delegate weakly
        let channel = try ProvisionedChannel(
            topics: ["v2.users.ID.presence", "v2.users.ID.routingStatus"], on: platform, delegate: host)
        channel.open()
        loop.run()  // until the channel has ended
    }
}

struct TokensOfTheHost {
    /// Asks something outside of the loop, such as a broker of the company, for a token.
    static func credentials(
        from broker: @escaping @Sendable (TokenReason) async -> (token: String, lifetime: Duration)?
    ) -> PlatformCredentials {
        .tokens { request in
            let loop = request.loop
            let reason = request.reason
            let answer = LoopBound(request, on: loop)
            Task {
                let given = await broker(reason)
                loop.execute {
                    if let given {
                        answer.value.provide(given.token, lifetime: given.lifetime)
                    } else {
                        answer.value.fail("the broker gave no token", advice: "Ask its operators")
                    }
                }
            }
        }
    }
}
