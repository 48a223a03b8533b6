import Foundation
import GenesysLoop
import Hummingbird

/// Serves over HTTP what a channel reports of its users, and the health of the channel. SIGTERM ends it in order.
///
///     swift run --package-path Examples/HealthService health-service URI CA-FILE PORT TOPIC [TOPIC …]
///
///     GET /health      200 while notifications arrive, else 503
///     GET /presences   the last presence of each user, since when, as JSON
@main
enum HealthService {
    static func main() async {
        do {
            try await serve()
        } catch {
            print("health-service: \(error)")
            exit(1)
        }
    }

    private static func serve() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count > 4, let port = Int(arguments[3]) else {
            print("usage: health-service URI CA-FILE PORT TOPIC [TOPIC …]")
            return
        }
        let channel = try await ChannelService(
            arguments[1], caFile: arguments[2], topics: arguments[4...].map { Topic($0) })
        let application = Application(
            router: router(for: channel),
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port)),
            // Started before the server, and ended after it.
            services: [channel],
            onServerRunning: { server in
                FileHandle.standardOutput.write(Data("listening on port \(server.localAddress?.port ?? 0)\n".utf8))
            })
        // Until SIGTERM or SIGINT, or until the channel ends by itself.
        try await application.runService()
    }

    private static func router(for channel: ChannelService) -> Router<BasicRequestContext> {
        let router = Router()
        router.get("health") { _, _ in
            let state = await channel.state()
            return EditedResponse(
                status: state.isSubscribed ? .ok : .serviceUnavailable, response: "\(state)\n")
        }
        router.get("presences") { _, _ in try await channel.presences() }
        return router
    }
}
