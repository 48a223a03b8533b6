import GenesysLoop
import GenesysPlatform

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A host with a group of channels, for benchmarks; it uses only the public API.
@main
enum GroupClient {
    static let usage = """
        usage: group-client BASE --ca FILE --shards N
               group-client BASE --ca FILE --stream
               group-client URI --ca FILE --plain

        BASE is the URL of the REST side, whose OAuth client is in the variables GENESYSCLOUD_OAUTHCLIENT_ID and
        GENESYSCLOUD_OAUTHCLIENT_SECRET.

          --shards N   a group of N channels with 1,000 topics each: prints what the way to the last confirmation took,
                       then READY when it has settled, and holds the channels until SIGTERM
          --stream     counts notifications of a group with one topic until the server closes the connection
          --plain      counts those of a NotificationChannel with this URI
        """

    static func main() {
        do {
            let options = try Options(CommandLine.arguments.dropFirst())
            let loop = try UVLoop()
            switch options.work {
            case .shards(let count): try hold(count, options, on: loop)
            case .stream: try stream(options, on: loop)
            case .plain: try plain(options, on: loop)
            }
        } catch {
            var line = "\(error)\n"
            // Nothing can be done about a closed standard error.
            _ = line.withUTF8 { unsafe write(2, $0.baseAddress, $0.count) }
            exit(error is Options.Mistake ? 64 : 69)
        }
    }

    private static func platform(_ options: Options, on loop: UVLoop) throws -> Platform {
        var configuration = PlatformConfiguration()
        configuration.tls.trust = .file(options.caFile)
        return try Platform(
            region: try PlatformRegion(loginBase: options.place, apiBase: options.place),
            credentials: try .client(id: try variable("ID"), secret: try variable("SECRET")), on: loop,
            configuration: configuration)
    }

    private static func variable(_ end: String) throws -> String {
        // The variable is a C string, which is copied; nothing changes the environment meanwhile.
        let value = unsafe getenv("GENESYSCLOUD_OAUTHCLIENT_\(end)").map { unsafe String(cString: $0) }
        guard let value else { throw Options.Mistake(text: "GENESYSCLOUD_OAUTHCLIENT_\(end) is not set") }
        return value
    }

    private static func configuration(_ options: Options) -> ChannelConfiguration {
        var configuration = ChannelConfiguration()
        configuration.tls.trust = .file(options.caFile)
        if options.work.isStream { configuration.reconnect = .never }
        return configuration
    }

    /// Opens so many channels, and holds them.
    private static func hold(_ count: Int, _ options: Options, on loop: UVLoop) throws {
        let topics = (0..<count * Topic.maxCount).map { Topic("v2.users.\($0).presence") }
        let host = GroupHost()
        let group = try ChannelGroup(
            topics: topics, on: try platform(options, on: loop), delegate: host,
            configuration: configuration(options), keepsSparePlace: count < 20)
        let start = Reading()
        group.open()
        while host.subscribedCount < count, host.failure == nil { loop.run(for: .milliseconds(1)) }
        if let failure = host.failure { throw failure }
        let used = Reading().since(start)
        print("{\"shards\":\(count),\"seconds\":\(used.seconds),\"cpu\":\(used.cpu)}")
        // What the start alone needed is given back.
        loop.run(for: .seconds(2))
        trim()
        print("READY")
        fflush(nil)
        while host.failure == nil { loop.run(for: .seconds(60)) }
    }

    /// Gives memory that is not in use back to the system, where the C library can.
    private static func trim() {
        // The name is a C string, valid during the call.
        guard let symbol = unsafe dlsym(nil, "malloc_trim") else { return }
        typealias Trim = @convention(c) (Int) -> Int32
        // malloc_trim(3) has this type.
        _ = unsafe unsafeBitCast(symbol, to: Trim.self)(0)
    }

    private static func stream(_ options: Options, on loop: UVLoop) throws {
        let host = GroupHost()
        let group = try ChannelGroup(
            topics: [topic], on: try platform(options, on: loop), delegate: host, configuration: configuration(options))
        group.open()
        loop.run()
        try finish(host.tally, host.failure)
    }

    private static func plain(_ options: Options, on loop: UVLoop) throws {
        let host = PlainHost()
        let channel = try NotificationChannel(
            uri: options.place, topics: [topic], on: loop, delegate: host, configuration: configuration(options))
        channel.open()
        loop.run()
        try finish(host.tally, host.failure)
    }

    /// The server's close is the normal end.
    private static func finish(_ tally: Tally, _ failure: ChannelFailure?) throws {
        print("{\"messages\":\(tally.messageCount),\"bytes\":\(tally.byteCount)}")
        if let failure, failure.reason != .connectionClosed { throw failure }
    }

    private static let topic: Topic = "v2.routing.queues.2f1c0f0e-0000-4000-8000-000000000001.conversations"
}

/// The command line.
struct Options {
    struct Mistake: Error, CustomStringConvertible {
        let text: String
        var description: String { "\(text)\n\n\(GroupClient.usage)" }
    }

    enum Work {
        case shards(Int)
        case stream
        case plain

        var isStream: Bool { if case .shards = self { false } else { true } }
    }

    let place: String
    let caFile: String
    let work: Work

    init(_ arguments: some Collection<String>) throws(Mistake) {
        let words = Array(arguments)
        guard words.count >= 4, words[1] == "--ca" else { throw Mistake(text: "a place, --ca FILE, and what to do") }
        place = words[0]
        caFile = words[2]
        switch (words[3], words.count) {
        case ("--stream", 4): work = .stream
        case ("--plain", 4): work = .plain
        case ("--shards", 5):
            guard let count = Int(words[4]), (1...20).contains(count) else {
                throw Mistake(text: "--shards takes 1 to 20")
            }
            work = .shards(count)
        default: throw Mistake(text: "\(words[3]) is unknown, or its arguments")
        }
    }
}

/// The clocks.
struct Reading {
    private let wall = Reading.seconds(CLOCK_MONOTONIC)
    private let processor = Reading.seconds(CLOCK_PROCESS_CPUTIME_ID)

    func since(_ other: Reading) -> (seconds: Double, cpu: Double) {
        (wall - other.wall, processor - other.processor)
    }

    private static func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        // The variable is valid during the call.
        unsafe clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// What was received.
struct Tally {
    var messageCount = 0
    var byteCount = 0

    mutating func count(_ message: Span<UInt8>) {
        messageCount &+= 1
        byteCount &+= message.count
    }
}

final class GroupHost: ChannelGroupDelegate {
    private(set) var tally = Tally()
    private(set) var subscribedCount = 0
    private(set) var failure: ChannelFailure?

    func group(_ group: ChannelGroup, didReceive notification: ChannelNotification, on shard: Int) {
        tally.count(notification.bytes)
    }

    func group(_ group: ChannelGroup, didFail failure: ChannelFailure) { self.failure = failure }
    func group(_ group: ChannelGroup, didSubscribe topics: [Topic], on shard: Int) { subscribedCount += 1 }
    func group(_ group: ChannelGroup, didMiss gap: Gap, on shard: Int) {}
}

final class PlainHost: NotificationChannelDelegate {
    private(set) var tally = Tally()
    private(set) var failure: ChannelFailure?

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        tally.count(notification.bytes)
    }

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) { self.failure = failure }
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {}
}
