import CUV
import GenesysLoop

/// A program with a loop of its own whose resolver never answers. One channel waits for its deadline, another one is
/// closed during its lookup; then the program leaves and closes the loop.
final class Host: NotificationChannelDelegate {
    let loop: UVLoop
    var patient: NotificationChannel?
    private let start = uv_hrtime()
    private var closedAt: UInt64 = 0

    init(_ loop: UVLoop) { self.loop = loop }

    func open(_ name: String, dns: Duration) throws -> NotificationChannel {
        var configuration = ChannelConfiguration()
        configuration.reconnect = .never
        configuration.deadlines.dns = dns
        let channel = try NotificationChannel(
            uri: "wss://\(name).stuck.test/", topics: ["v2.users.2ce2c9a1-bd7b-4d56-9f0b-6c8e4b5ea7a1.presence"],
            on: loop, delegate: self, configuration: configuration)
        channel.open()
        return channel
    }

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {}
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {}

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {
        let elapsed = milliseconds(since: start)
        print(failure.reason, failure.phase, elapsed >= 300 && elapsed < 800 ? "on time" : "after \(elapsed) ms")
        print(failure)
        closedAt = uv_hrtime()
        patient?.close()
    }

    func channelDidClose(_ channel: NotificationChannel) {
        print("closed")
        loop.detach { print("detached") }
    }

    func didCloseLoop(_ code: Int32) {
        let elapsed = milliseconds(since: closedAt)
        print("uv_loop_close:", code, elapsed < 100 ? "at once" : "after \(elapsed) ms")
    }

    private func milliseconds(since instant: UInt64) -> UInt64 { (uv_hrtime() - instant) / 1_000_000 }
}

let foreign = UnsafeMutablePointer<uv_loop_t>.allocate(capacity: 1)
uv_loop_init(foreign)
let host = Host(try UVLoop(adopting: foreign))
host.patient = try host.open("patient", dns: .seconds(3_600))
_ = try host.open("impatient", dns: .milliseconds(300))
uv_run(foreign, UV_RUN_DEFAULT)
host.didCloseLoop(uv_loop_close(foreign))
host.patient = nil
foreign.deallocate()
