import GenesysLoop

#if canImport(Glibc)
import Glibc
#endif

/// A program that blocks its loop for some seconds: `host URI CA-FILE SECONDS`. It prints what it missed.
final class Host: NotificationChannelDelegate {
    private var count = 0
    private var last: Int?
    private var gapCount = 0
    private var resumedAt: Int?

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        struct Body: Decodable { let sequence: Int }
        guard let sequence = try? notification.decode(Body.self).sequence else { return print("no sequence") }
        if let last, sequence != last + 1 { gapCount += 1 }
        last = sequence
        count += 1
        if count == 10 {
            poll(nil, 0, (Int32(CommandLine.arguments[3]) ?? 0) * 1_000)
            resumedAt = sequence
        }
        // The notifications sent during the block, and some of those after it.
        guard let resumedAt, sequence > resumedAt + 1_200 else { return }
        print("missed \(gapCount)")
        channel.close()
    }

    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) { print("expires") }
    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) { print("failed:", failure) }
    func channel(_ channel: NotificationChannel, willReconnect attempt: ReconnectAttempt) {
        print("reconnects:", attempt)
    }
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) { print("missed:", gap) }
    func channelDidClose(_ channel: NotificationChannel) { print("closed") }
}

let loop = try UVLoop()
var configuration = ChannelConfiguration()
configuration.tls.trust = .file(CommandLine.arguments[2])
let host = Host()
let channel = try NotificationChannel(
    uri: CommandLine.arguments[1], topics: ["v2.users.2ce2c9a1-bd7b-4d56-9f0b-6c8e4b5ea7a1.presence"], on: loop,
    delegate: host, configuration: configuration)
channel.open()
loop.run()
