import Foundation
import GenesysLoop
import GenesysSimulator
import Testing

/// A service that requires tokens, and what a client asks of it, in virtual time.
struct RESTStage {
    typealias Service = SimulatedService
    typealias Answer = SimulatedService.RESTAnswer

    static let wall = WallTime(seconds: 1_785_488_703, nanoseconds: 7_000_000)
    static let basic = "Basic " + Data("simulated-client:simulated-secret".utf8).base64EncodedString()

    var service: Service
    var now: Duration = .zero

    init(_ configure: (inout Service.Configuration) -> Void = { _ in }) {
        var configuration = Service.Configuration()
        configuration.publishing.rate = 0
        configuration.tokens.areRequired = true
        configure(&configuration)
        service = Service(configuration: configuration, seed: 1)
    }

    mutating func send(_ request: Service.RESTRequest) -> Answer {
        service.restRequested(request, socketBase: "wss://here:1", wall: Self.wall, now: now)
    }

    // MARK: Tokens

    mutating func askForToken(
        authorization: String? = RESTStage.basic, type: String? = "application/x-www-form-urlencoded",
        _ body: String = "grant_type=client_credentials", method: String = "POST"
    ) -> Answer {
        var request = Service.RESTRequest(method, "/oauth/token", body: Array(body.utf8))
        request.authorization = authorization
        request.contentType = type
        return send(request)
    }

    mutating func makeToken() throws -> String {
        try #require(askForToken().object["access_token"] as? String)
    }

    // MARK: The API

    mutating func call(_ method: String, _ path: String, _ token: String? = nil, _ body: String = "") -> Answer {
        var request = Service.RESTRequest(method, "/api/v2/\(path)", body: Array(body.utf8))
        request.authorization = token.map { "Bearer \($0)" }
        return send(request)
    }

    mutating func makeChannel(_ token: String?) throws -> String {
        try #require(call("POST", "notifications/channels", token).object["id"] as? String)
    }

    /// Whether a token has each of some channels.
    mutating func have(_ ids: [String], _ token: String) -> [Bool] {
        ids.map { call("HEAD", "notifications/channels/\($0)", token).status == 200 }
    }

    /// The statuses of `HEAD tokens/me` with each of some tokens.
    mutating func check(_ tokens: [String]) -> [Int] {
        tokens.map { call("HEAD", "tokens/me", $0).status }
    }

    /// Opens a socket on a channel.
    mutating func open(_ id: String) throws -> Service.SocketID {
        guard case .accept(let socket) = service.upgradeRequested(target: "/channels/\(id)", now: now) else {
            throw NotOpen()
        }
        return socket
    }

    struct NotOpen: Error {}

    /// What the service does until `duration` has passed.
    mutating func pass(_ duration: Duration) -> [String] {
        let end = now + duration
        var lines: [String] = []
        while let deadline = service.nextDeadline, deadline <= end {
            now = max(now, deadline)
            lines += service.deadlineReached(now: now).map(line)
        }
        now = end
        return lines
    }

    /// The latest requests: method, path, token and status.
    var log: [String] {
        service.requests.map { record in
            "\(record.method) \(record.path) \(record.token.map { "\($0)" } ?? "-") "
                + (record.status.map { "\($0)" } ?? "-")
        }
    }
}

extension SimulatedService.RESTAnswer {
    /// The members of the body; empty if it is not an object.
    var object: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]) ?? [:]
    }

    /// The members of `entities`.
    var entities: [[String: Any]] { object["entities"] as? [[String: Any]] ?? [] }
    var code: String? { object["code"] as? String }
    var text: String { String(decoding: body, as: UTF8.self) }

    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}
