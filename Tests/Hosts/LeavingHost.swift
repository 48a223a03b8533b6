import CUV
import GenesysLoop

#if canImport(Glibc)
import Glibc
#endif

/// A program that leaves in one of many ways: `host WAY URI CA-FILE`. It prints what happens, and ends with 0.
final class Host: NotificationChannelDelegate {
    /// What to do at the second notification.
    var atSecond: (NotificationChannel) -> Void = { _ in }
    private var count = 0

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        count += 1
        if count == 2 { atSecond(channel) }
    }

    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {}
    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) { print("failed:", failure) }
    func channelDidClose(_ channel: NotificationChannel) { print("closed") }
}

/// Owns everything, and ends it from `deinit`.
final class Owner {
    let loop: UVLoop
    let host = Host()
    let channel: NotificationChannel

    init(_ loop: UVLoop) throws {
        self.loop = loop
        channel = try makeChannel(on: loop, for: host)
    }

    deinit {
        channel.close()
        print("deinit")
    }
}

func makeChannel(on loop: UVLoop, for host: Host) throws -> NotificationChannel {
    var configuration = ChannelConfiguration()
    configuration.tls.trust = .file(CommandLine.arguments[3])
    return try NotificationChannel(
        uri: CommandLine.arguments[2], topics: ["v2.users.2ce2c9a1-bd7b-4d56-9f0b-6c8e4b5ea7a1.presence"], on: loop,
        delegate: host, configuration: configuration)
}

/// Lends an adopted loop, then prints the result of closing it.
func withForeignLoop(_ body: (UnsafeMutablePointer<uv_loop_t>) throws -> Void) throws {
    let foreign = UnsafeMutablePointer<uv_loop_t>.allocate(capacity: 1)
    uv_loop_init(foreign)
    try body(foreign)
    uv_run(foreign, UV_RUN_DEFAULT)
    print("uv_loop_close:", uv_loop_close(foreign))
    foreign.deallocate()
}

/// Drops the three in the given order, such as "hcl".
func drop(_ order: Substring, _ loop: inout UVLoop?, _ channel: inout NotificationChannel?, _ host: inout Host?) {
    for name in order {
        switch name {
        case "l": loop = nil
        case "c": channel = nil
        default: host = nil
        }
    }
}

let way = CommandLine.arguments[1]
switch way.split(separator: ":").first {
case "exit":
    // In the middle of a callback, with everything open.
    let loop = try UVLoop()
    let host = Host()
    host.atSecond = { _ in
        print("bye")
        exit(0)
    }
    let channel = try makeChannel(on: loop, for: host)
    channel.open()
    loop.run()
case "stop":
    // `main` returns with everything open, held by globals.
    let loop = try UVLoop()
    let host = Host()
    host.atSecond = { _ in loop.stop() }
    let channel = try makeChannel(on: loop, for: host)
    channel.open()
    loop.run()
    print("stopped with", "\(loop)".contains("handles: ") ? "handles open" : "nothing open")
case "deinit":
    var owner: Owner? = try Owner(try UVLoop())
    owner?.host.atSecond = { _ in owner = nil }
    owner?.channel.open()
    // The owner is deallocated inside `run()`, which continues until the channel has closed.
    let loop = owner?.loop
    loop?.run()
    print("ended")
case "own":
    var loop: UVLoop? = try UVLoop()
    var host: Host? = Host()
    var channel: NotificationChannel? = try makeChannel(on: loop!, for: host!)
    host?.atSecond = { [weak loop] _ in loop?.stop() }
    channel?.open()
    loop?.run()
    drop(way.dropFirst(4), &loop, &channel, &host)
    print("dropped")
case "adopted":
    try withForeignLoop { foreign in
        var loop: UVLoop? = try UVLoop(adopting: foreign)
        var host: Host? = Host()
        var channel: NotificationChannel? = try makeChannel(on: loop!, for: host!)
        host?.atSecond = { _ in uv_stop(foreign) }
        channel?.open()
        uv_run(foreign, UV_RUN_DEFAULT)
        // An open channel keeps the event loop running, and `closeAll()` closes it.
        loop?.closeAll()
        drop(way.dropFirst(8), &loop, &channel, &host)
        print("dropped")
    }
case "early":
    try withForeignLoop { foreign in
        let loop = try UVLoop(adopting: foreign)
        let host = Host()
        let channel = try makeChannel(on: loop, for: host)
        host.atSecond = { _ in uv_stop(foreign) }
        channel.open()
        uv_run(foreign, UV_RUN_DEFAULT)
        print("too early:", uv_loop_close(foreign) == UV_EBUSY.rawValue ? "UV_EBUSY" : "closed")
        print(loop)
        channel.close()
        loop.detach { withExtendedLifetime(host) { print("detached") } }
    }
case "unref":
    try withForeignLoop { foreign in
        let loop = try UVLoop(adopting: foreign)
        let host = Host()
        let channel = try makeChannel(on: loop, for: host)
        host.atSecond = { $0.close() }
        loop.keepsRunning = false
        channel.open()
        // Nothing else is on the loop, so it does not wait.
        uv_run(foreign, UV_RUN_DEFAULT)
        print("ran dry")
        loop.keepsRunning = true
        uv_run(foreign, UV_RUN_DEFAULT)
        loop.detach { print("detached") }
    }
case "half-way":
    try withForeignLoop { foreign in
        let loop = try UVLoop(adopting: foreign)
        let host = Host()
        var missing = ChannelConfiguration()
        missing.tls.trust = .file("no-such-file")
        let (uri, topic) = (CommandLine.arguments[2], Topic("v2.users.ID.presence"))
        let attempts: [() throws -> NotificationChannel] = [
            { try NotificationChannel(uri: uri, topics: [topic], on: loop, delegate: host, configuration: missing) },
            { try NotificationChannel(uri: "https://localhost/", topics: [topic], on: loop, delegate: host) },
            { try NotificationChannel(uri: uri, topics: ["white space"], on: loop, delegate: host) },
        ]
        for attempt in attempts {
            do {
                _ = try attempt()
                print("made")
            } catch {
                print("refused")
            }
        }
        print(loop)
        loop.detach { print("detached") }
    }
default:
    print("unknown way")
    exit(64)
}
