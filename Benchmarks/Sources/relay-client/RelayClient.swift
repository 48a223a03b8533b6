import GenesysLoop
import GenesysRelay

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A host with a relay that needs no channel, for benchmarks; it uses only the public API.
@main
enum RelayClient {
    static let usage = """
        usage: relay-client TARGET --records N
               relay-client TARGET --rate R --seconds S [--queue-bytes B]

          --records N      appends N notifications of 400 bytes as fast as they are stored: what that took
          --rate R         appends R of them a second: the time from the receipt to the acknowledgment
          --queue-bytes B  prints READY, and begins when it has read a line: the memory that the queue takes meanwhile,
                           at most B bytes of records; the oldest are dropped, and the end is not awaited
        """

    static func main() {
        do {
            let options = try Options(CommandLine.arguments.dropFirst())
            let run = try Run(options)
            switch options.work {
            case .records(let count): try run.append(count)
            case .rate(let rate, let seconds, let isStalled): try run.append(rate, for: seconds, isStalled)
            }
        } catch {
            var line = "\(error)\n"
            // Nothing can be done about a closed standard error.
            _ = line.withUTF8 { unsafe write(2, $0.baseAddress, $0.count) }
            exit(error is Options.Mistake ? 64 : 69)
        }
    }
}

/// The command line.
struct Options {
    struct Mistake: Error, CustomStringConvertible {
        let text: String
        var description: String { "\(text)\n\n\(RelayClient.usage)" }
    }

    enum Work {
        case records(Int)
        case rate(Int, seconds: Int, isStalled: Bool)
    }

    let target: String
    let work: Work
    var queueBytes: Int?

    init(_ arguments: some Collection<String>) throws(Mistake) {
        let words = Array(arguments)
        guard words.count % 2 == 1, words.count >= 3 else { throw Mistake(text: "a target, and what to do") }
        target = words[0]
        var values: [String: Int] = [:]
        for place in stride(from: 1, to: words.count, by: 2) {
            guard let value = Int(words[place + 1]), value > 0 else {
                throw Mistake(text: "\(words[place]) takes a number")
            }
            values[words[place]] = value
        }
        queueBytes = values["--queue-bytes"]
        if let count = values["--records"] {
            work = .records(count)
        } else if let rate = values["--rate"], let seconds = values["--seconds"] {
            work = .rate(rate, seconds: seconds, isStalled: queueBytes != nil)
        } else {
            throw Mistake(text: "--records, or --rate and --seconds")
        }
    }
}

/// A relay that writes, and what is measured.
final class Run: RelayDelegate {
    /// The most bytes that wait while `append(_:)` is called as fast as possible.
    private static let mostQueued = 1 << 20

    private let loop: UVLoop
    private let notification: OwnedNotification
    private var relay: Relay?
    private var isWanted = false
    private var failure: RelayFailure?

    init(_ options: Options) throws {
        loop = try UVLoop()
        notification = try Run.presence()
        var configuration = RelayConfiguration()
        if let queueBytes = options.queueBytes {
            configuration.queueBytes = queueBytes
            configuration.overflow = .dropOldest
        }
        let relay = try Relay(
            name: "bench", target: RelayTarget(options.target), on: loop, delegate: self, configuration: configuration)
        self.relay = relay
        relay.open()
        while !isWanted { try turn() }
        relay.sourceDidSubscribe()
        while relay.statistics.queuedCount > 0 { try turn() }
    }

    /// A presence of a user, in 400 bytes.
    private static func presence() throws -> OwnedNotification {
        let id = "2f1c0f0e-5b1d-4f7e-9c3b-6d2a8e4f0a17"
        func made(_ filling: String) throws -> OwnedNotification {
            try OwnedNotification(
                topic: Topic("v2.users.\(id).presence"),
                body: """
                    {"source":"PURECLOUD","presenceDefinition":{"id":"6a3af858-942f-489d-9700-5f9bcdcdae9b",\
                    "systemPresence":"Available"},"primary":true,"message":"\(filling)",\
                    "modifiedDate":"2026-03-01T09:30:15.123Z"}
                    """)
        }
        return try made(String(repeating: "x", count: max(0, 400 - made("").message.count)))
    }

    private func turn() throws {
        loop.run(for: .milliseconds(1))
        if let failure { throw failure }
    }

    private func append(times: Int) {
        guard let relay else { return }
        let notification = notification
        for _ in 0..<times { relay.append(notification.borrowed) }
    }

    private var statistics: RelayStatistics { relay?.statistics ?? RelayStatistics() }

    /// As fast as they are stored.
    func append(_ count: Int) throws {
        let start = Reading()
        let stored = statistics.storedCount
        var appended = 0
        while appended < count {
            while appended < count, statistics.queueByteCount < Run.mostQueued {
                let next = min(count, appended + 64)
                append(times: next - appended)
                appended = next
            }
            try turn()
        }
        while statistics.storedCount - stored < count { try turn() }
        let used = Reading().since(start)
        print("{\"records\":\(count),\"seconds\":\(used.seconds),\"cpu\":\(used.cpu)}")
    }

    /// At a rate.
    func append(_ rate: Int, for seconds: Int, _ isStalled: Bool) throws {
        if isStalled {
            print("READY")
            fflush(nil)
            _ = readLine()
        }
        let before = Memory.resident
        let start = Reading()
        var appended = 0
        while appended < rate * seconds {
            try turn()
            let due = min(rate * seconds, Int(Reading().since(start).seconds * Double(rate)))
            append(times: due - appended)
            appended = due
        }
        while !isStalled, statistics.queuedCount > 0 { try turn() }
        let used = Reading().since(start)
        let latencies = statistics.storeLatencies
        print(
            "{\"records\":\(appended),\"cpu\":\(used.cpu),\"dropped\":\(statistics.droppedCount),"
                + "\"median\":\(latencies.bound(of: 0.5)),\"p99\":\(latencies.bound(of: 0.99)),"
                + "\"mean\":\(latencies.mean),\"before\":\(before),\"most\":\(Memory.most)}")
    }

    func relayWantsSource(_ relay: Relay) { isWanted = true }
    func relayWantsPause(_ relay: Relay) {}
    func relayWantsResume(_ relay: Relay) {}
    func relaySourceSilence(_ relay: Relay) -> Duration? { .zero }
    func relay(_ relay: Relay, didFail failure: RelayFailure) { self.failure = failure }
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

/// The memory of this process, in bytes, as Linux counts it.
enum Memory {
    static var resident: Int { value(of: "VmRSS:") }
    static var most: Int { value(of: "VmHWM:") }

    private static func value(of name: String) -> Int {
        var buffer: [UInt8] = Array(repeating: 0, count: 8_192)
        // The name is a C string, and the array is lent, for the calls.
        let file = unsafe open("/proc/self/status", O_RDONLY)
        let count = unsafe read(file, &buffer, buffer.count)
        close(file)
        for line in String(decoding: buffer.prefix(max(0, count)), as: UTF8.self).split(separator: "\n")
        where line.hasPrefix(name) {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            return (words.count > 1 ? Int(words[1]) ?? 0 : 0) * 1024
        }
        return 0
    }
}

extension DurationHistogram {
    /// In seconds: the upper end of the range that holds this part of the observations; a minute above the last one.
    func bound(of part: Double) -> Double {
        var rest = (Double(count) * part).rounded(.up)
        for (range, bound) in DurationHistogram.bounds.enumerated() {
            rest -= Double(self[range])
            if rest <= 0 { return bound / .seconds(1) }
        }
        return 60
    }

    /// In seconds.
    var mean: Double { count > 0 ? sum / .seconds(1) / Double(count) : 0 }
}
