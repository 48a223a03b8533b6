import GenesysLoop
import GenesysSimulator

/// A service with one channel, in virtual time; it records events as readable lines.
struct Stage {
    typealias Service = SimulatedService

    var service: Service
    var now: Duration = .seconds(1_000)
    var channel: Service.CreatedChannel

    /// The feed is off unless `change` enables it, so that each test receives only what it requested.
    init(seed: UInt64 = 1, _ change: (inout Service.Configuration) -> Void = { _ in }) throws {
        var configuration = Service.Configuration()
        configuration.publishing.rate = 0
        change(&configuration)
        service = Service(configuration: configuration, seed: seed)
        channel = try service.channelCreated(now: now)
    }

    struct NotAccepted: Error {
        let answer: Service.UpgradeAnswer
    }

    /// Opens a socket on the channel of the stage, or on another one.
    mutating func open(_ other: Service.CreatedChannel? = nil) throws -> Service.SocketID {
        let answer = service.upgradeRequested(target: (other ?? channel).target, now: now)
        guard case .accept(let socket) = answer else { throw NotAccepted(answer: answer) }
        return socket
    }

    /// Whether an upgrade would be answered with 404.
    func isRefused(_ other: Service.CreatedChannel? = nil) -> Bool {
        var service = service
        return service.upgradeRequested(target: (other ?? channel).target, now: now) == .refuse(.notFound)
    }

    mutating func say(_ text: String, on socket: Service.SocketID) -> [String] {
        service.textReceived(on: socket, Array(text.utf8), now: now).map(line)
    }

    mutating func subscribe(_ topics: [String], on socket: Service.SocketID) -> [String] {
        let names = topics.map { "\"\($0)\"" }.joined(separator: ",")
        return say(#"{"message":"subscribe","topics":[\#(names)],"correlationId":"c1"}"#, on: socket)
    }

    /// Advances the time from deadline to deadline.
    mutating func pass(_ duration: Duration) -> [String] {
        actions(in: duration).map { "\($0.time) \(line($0.action))" }
    }

    mutating func actions(in duration: Duration) -> [(time: Duration, action: Service.Action)] {
        var result: [(time: Duration, action: Service.Action)] = []
        let start = now
        let end = now + duration
        while let deadline = service.nextDeadline, deadline <= end {
            now = max(now, deadline)
            result += service.deadlineReached(now: now).map { (now - start, $0) }
        }
        now = end
        return result
    }
}

func line(_ action: SimulatedService.Action) -> String {
    switch action {
    case .send(let socket, let bytes): "\(socket) \(String(decoding: bytes, as: UTF8.self))"
    case .sendBinary(let socket, let bytes): "\(socket) binary \(bytes)"
    case .close(let socket, let code, _): "\(socket) close \(code)"
    case .drop(let socket): "\(socket) drop"
    case .reset(let socket): "\(socket) reset"
    }
}

extension SimulatedService.Action {
    /// The text sent, or nil.
    var text: String? {
        guard case .send(_, let bytes) = self else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}

let presence = "v2.users.0f3c4a1e-0000-4000-8000-00000000000a.presence"
let routing = "v2.users.0f3c4a1e-0000-4000-8000-00000000000a.routingStatus"
