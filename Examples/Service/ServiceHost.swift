import Foundation
import GenesysLoop

/// Counts the notifications of each topic beside the program's other work: the channel's loop has a thread of its own.
///
///     swift run service-host URI CA-FILE COUNT TOPIC [TOPIC …]
@main
enum ServiceHost {
    static func main() async {
        do {
            try await serve()
        } catch {
            print("service-host: \(error)")
            exit(1)
        }
    }

    private static func serve() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count > 4, let wanted = Int(arguments[3]) else {
            print("usage: service-host URI CA-FILE COUNT TOPIC [TOPIC …]")
            return
        }
        let service = try await Service(arguments[1], caFile: arguments[2], topics: arguments[4...].map { Topic($0) })
        // A program would run its server here, whose handlers ask the service. This one waits.
        for await count in service.counts where count >= wanted { break }
        let board = try await service.report()
        await service.shutdown()
        for (topic, count) in board.sorted(by: { $0.key.rawValue < $1.key.rawValue }) { print(topic, count) }
    }
}

/// What the program sees of the channel. May be used on any thread and in any actor.
final class Service: Sendable {
    /// The number of notifications so far, whenever it changes; ends with the channel.
    let counts: AsyncStream<Int>

    private let thread: LoopThread
    private let board: LoopBound<Board>

    init(_ uri: String, caFile: String, topics: [Topic]) async throws {
        let (counts, changes) = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(1))
        var configuration = ChannelConfiguration()
        configuration.tls.trust = .file(caFile)
        let thread = try LoopThread(name: "notifications")
        do {
            // Made on the loop's thread, where board and channel then live.
            board = try await thread.submit { [configuration, loop = thread.loop] in
                let board = Board(changes)
                let channel = try NotificationChannel(
                    uri: uri, topics: topics, on: loop, delegate: board, configuration: configuration)
                channel.open()
                return LoopBound(board, on: loop)
            }
        } catch {
            await thread.shutdown()
            throw error
        }
        self.counts = counts
        self.thread = thread
    }

    /// How many notifications of each topic came.
    func report() async throws -> [Topic: Int] {
        try await thread.submit { [board] in board.value.countOfTopic }
    }

    /// Closes the channel and waits for the end of its thread.
    func shutdown() async { await thread.shutdown() }
}
