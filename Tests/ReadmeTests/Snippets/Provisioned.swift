import GenesysLoop
import GenesysPlatform

/// Runs a channel that is made from an OAuth client.
func runProvisionedChannel(
    id: String, secret: String, region: PlatformRegion, host: any ProvisionedChannelDelegate, on loop: UVLoop
) throws {
    let client = try PlatformCredentials.client(id: id, secret: secret)
    let platform = try Platform(region: region, credentials: client, on: loop)
    let channel = try ProvisionedChannel(topics: ["v2.users.ID.presence"], on: platform, delegate: host)
    channel.open()
    loop.run()
}
