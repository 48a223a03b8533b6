import Logging
import Testing

@testable import GenesysLoop
@testable import GenesysPlatform

/// A loop with an engine on it, and what the engine's calls brought.
final class Stage: HTTPCallOwner {
    let loop: UVLoop
    private(set) var engine: HTTPEngine
    /// The results, in the order of their arrival.
    private(set) var results: [Result<HTTPAnswer, HTTPFailure>] = []
    /// The calls under way.
    private(set) var calls: [HTTPCall] = []
    private var first: HTTPRequest?
    /// Called after each result; by default nothing.
    var didEnd: (Stage, HTTPCall) -> Void = { _, _ in }

    /// - Parameters:
    ///   - loop: by default a new one.
    ///   - lookup: the resolver. By default each name is at 127.0.0.1 and at no IPv6 address.
    init(
        on loop: UVLoop? = nil, lookup: Resolver.Lookup? = nil,
        change: (inout HTTPEngine.Configuration) throws -> Void = { _ in }
    ) throws {
        let loop = try loop ?? UVLoop()
        self.loop = loop
        var configuration = HTTPEngine.Configuration(logger: Logger(label: "test"))
        configuration.tls = try WebServer.trust()
        try change(&configuration)
        engine = try HTTPEngine(on: loop, configuration: configuration)
        loop.resolver.lookup = lookup ?? Stage.loopback
    }

    static let loopback: Resolver.Lookup = { question in
        guard question.family == .ipv4, let address = SocketAddress(numeric: "127.0.0.1", port: question.port) else {
            return .failure(ResolverError(code: -5, text: "no such name", isNoSuchName: true))
        }
        return .success([address])
    }

    /// Starts a call.
    @discardableResult
    func start(_ request: HTTPRequest) -> HTTPCall {
        first = first ?? request
        let call = engine.start(request, owner: self)
        calls.append(call)
        return call
    }

    /// Starts the first request once more.
    @discardableResult
    func startAgain() -> HTTPCall? { first.map { start($0) } }

    /// Releases all calls.
    func dropCalls() { calls = [] }

    /// Starts a call, runs until it has ended, and returns its result.
    func result(
        _ method: HTTPRequest.Method = .get, _ url: String, change: (inout HTTPRequest) throws -> Void = { _ in }
    ) throws -> Result<HTTPAnswer, HTTPFailure> {
        var request = try HTTPRequest(method, url)
        try change(&request)
        start(request)
        try run()
        return results[results.count - 1]
    }

    /// The answer to a request that must have one.
    func answer(
        _ method: HTTPRequest.Method = .get, _ url: String, change: (inout HTTPRequest) throws -> Void = { _ in }
    ) throws -> HTTPAnswer {
        try result(method, url, change: change).get()
    }

    /// The failure of a request that must have one.
    func failure(
        _ method: HTTPRequest.Method = .get, _ url: String, change: (inout HTTPRequest) throws -> Void = { _ in }
    ) throws -> HTTPFailure {
        switch try result(method, url, change: change) {
        case .success(let answer): throw UnexpectedAnswer(answer: answer)
        case .failure(let failure): return failure
        }
    }

    struct UnexpectedAnswer: Error { let answer: HTTPAnswer }

    /// Runs until no call is under way.
    func run() throws {
        if !calls.isEmpty { loop.run(for: .seconds(20)) }
        try #require(calls.isEmpty, "a call did not end")
    }

    /// Runs until the condition holds.
    func run(until isSo: () -> Bool) throws {
        var rounds = 0
        while !isSo(), rounds < 20_000 {
            loop.run(for: .milliseconds(1))
            rounds += 1
        }
        try #require(isSo(), "the condition never held")
    }

    /// Closes the engine and the servers: nothing may be left on the loop.
    func leave(_ servers: WebServer...) {
        engine.close()
        calls = []
        for server in servers { server.close() }
        loop.run(for: .seconds(20))
        // Once more, for the handles of that limit.
        loop.run()
        // Only the loop's own handle is left.
        #expect(loop.registry.openCount == 1, "\(loop)")
        #expect(loop.holdCount == 0)
    }

    func call(_ call: HTTPCall, didEndWith result: Result<HTTPAnswer, HTTPFailure>) {
        results.append(result)
        calls.removeAll { $0 === call }
        didEnd(self, call)
        if calls.isEmpty { loop.stop() }
    }
}
