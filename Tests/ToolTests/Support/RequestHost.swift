import GenesysLoop
import GenesysPlatform
import Logging

/// Sends requests of `GenesysPlatform` on a loop of its own.
final class RequestHost: HTTPCallOwner {
    let loop: UVLoop
    private let engine: HTTPEngine
    private var call: HTTPCall?
    private var last: Result<HTTPAnswer, HTTPFailure>?

    /// Every name is at 127.0.0.1, and at no IPv6 address.
    init(_ tls: TLSConfiguration) throws {
        loop = try UVLoop()
        loop.resolver.lookup = { question in
            guard question.family == .ipv4, let address = SocketAddress(numeric: "127.0.0.1", port: question.port)
            else { return .failure(ResolverError(code: -2, text: "no such name", isNoSuchName: true)) }
            return .success([address])
        }
        var configuration = HTTPEngine.Configuration(logger: Logger(label: "test"))
        configuration.tls = tls
        engine = try HTTPEngine(on: loop, configuration: configuration)
    }

    /// Sends a request, and runs the loop until it has ended.
    func result(of request: HTTPRequest) -> Result<HTTPAnswer, HTTPFailure>? {
        last = nil
        call = engine.start(request, owner: self)
        loop.run()
        return last
    }

    func call(_ call: HTTPCall, didEndWith result: Result<HTTPAnswer, HTTPFailure>) {
        last = result
        self.call = nil
    }
}
