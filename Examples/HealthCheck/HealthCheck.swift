import Dispatch
import Foundation
import GenesysLoop

/// Reports the health of a channel when it changes, and for each line of standard input. The end of input ends it, and
/// so do SIGTERM and SIGINT.
///
///     swift run health-check URI CA-FILE TOPIC [TOPIC …]
@main
enum HealthCheck {
    static func main() {
        do {
            try watch()
        } catch {
            print("health-check: \(error)")
            exit(1)
        }
    }

    /// On the main actor, as `main` is, so that its closures are too, unless they are `@Sendable`.
    @MainActor private static func watch() throws {
        let arguments = CommandLine.arguments
        guard arguments.count > 3 else {
            print("usage: health-check URI CA-FILE TOPIC [TOPIC …]")
            return
        }
        var configuration = ChannelConfiguration()
        configuration.tls.trust = .file(arguments[2])
        let loop = try UVLoop()
        let host = Host()
        let channel = try NotificationChannel(
            uri: arguments[1], topics: arguments[3...].map { Topic($0) }, on: loop, delegate: host,
            configuration: configuration)
        channel.open()
        let bound = LoopBound(channel, on: loop)
        Thread.detachNewThread {
            // The state is read on the loop's thread, where it changes.
            while readLine() != nil { bound.execute { report($0.state) } }
            bound.execute { $0.close() }
        }
        let sources = [SIGTERM, SIGINT].map { number in
            _ = signal(number, SIG_IGN)  // on macOS the signal itself would still end the process
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { @Sendable in bound.execute { $0.close() } }
            source.activate()
            return source
        }
        withExtendedLifetime(sources) { loop.run() }  // until the channel ended
    }

    /// What an HTTP endpoint for the health of the program would answer.
    static func report(_ state: ChannelState) {
        let line = state.isSubscribed ? "200 \(state)\n" : "503 \(state)\n"
        FileHandle.standardOutput.write(Data(line.utf8))
    }
}

/// Keeps no state: the channel has it.
final class Host: NotificationChannelDelegate {
    func channel(_ channel: NotificationChannel, didChange state: ChannelState) { HealthCheck.report(state) }
    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {}
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) { print(gap) }
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) { print(failure) }
}
