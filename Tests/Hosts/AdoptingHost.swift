import CUV
import GenesysLoop

/// A program with a loop of its own and two channels on it. It calls `uv_run` twice and `uv_loop_close` once.
final class Host: NotificationChannelDelegate {
    private var count = 0

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        count += 1
        if count == 2 { try? channel.rollover(to: CommandLine.arguments[1]) }
        if count > 4 { channel.close() }
    }

    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {}
    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) { print(failure) }
    func channelDidClose(_ channel: NotificationChannel) { print("closed") }
}

let foreign = UnsafeMutablePointer<uv_loop_t>.allocate(capacity: 1)
uv_loop_init(foreign)
let loop = try UVLoop(adopting: foreign)
var configuration = ChannelConfiguration()
configuration.tls.trust = .file(CommandLine.arguments[2])
let hosts = [Host(), Host()]
for host in hosts {
    let channel = try NotificationChannel(
        uri: CommandLine.arguments[1], topics: ["v2.users.2ce2c9a1-bd7b-4d56-9f0b-6c8e4b5ea7a1.presence"], on: loop,
        delegate: host, configuration: configuration)
    channel.open()
}
uv_run(foreign, UV_RUN_DEFAULT)
loop.detach { print("detached") }
uv_run(foreign, UV_RUN_DEFAULT)
print("uv_loop_close:", uv_loop_close(foreign))
foreign.deallocate()
