import GenesysLoop
import GenesysPlatform
import Logging
import ServerKit

/// What a call is at when it is left.
enum Moment: String, CaseIterable {
    /// Started, but the loop has not run.
    case start
    case dns, connect, proxy, tls
    /// The body of the request is being sent.
    case sending
    /// The head of the answer, or the rest of its body, does not arrive.
    case head, body
    /// The owner is being told of the answer.
    case end
    /// The answer is there, and the connection is kept.
    case idle

    /// Whether a call that waits here ends only with its deadline.
    var isEndless: Bool { self != .start && !hasAnswer }
    var hasAnswer: Bool { self == .end || self == .idle }
}

/// The way out.
enum Exit: String, CaseIterable {
    case cancel, drop, close
    /// Only the call's own deadline.
    case deadline
}

/// Sends one request, and leaves it.
final class Visit: HTTPCallOwner {
    private(set) var resultCount = 0
    private var call: HTTPCall?
    private var engine: HTTPEngine?
    private let loop: UVLoop
    private let server: ProbeServer
    private let full: FullListener?
    private let moment: Moment
    private let exit: Exit
    private let threadCount: Int

    init(_ moment: Moment, _ exit: Exit, on loop: UVLoop) throws {
        self.loop = loop
        self.moment = moment
        self.exit = exit
        threadCount = Possessions().threadCount
        server = try ProbeServer(loop, moment)
        full = moment == .connect ? try FullListener() : nil
        var configuration = HTTPEngine.Configuration(logger: Logger(label: "probe"))
        configuration.tls = TLSConfiguration(trust: .pem(try ProbeServer.identity.get().authority.certificatePEM))
        if moment == .proxy { configuration.proxy = .url(try ProxyURI("http://127.0.0.1:\(server.port)")) }
        let engine = try HTTPEngine(on: loop, configuration: configuration)
        self.engine = engine
        call = engine.start(try request(), owner: self)
        if exit != .deadline { watch() }
    }

    private func request() throws -> HTTPRequest {
        let authority =
            switch moment {
            case .dns: "a.stuck.test"
            case .connect: "127.0.0.1:\(full?.port ?? 0)"
            default: "api.test:\(server.port)"
            }
        var request = try HTTPRequest(.post, "https://\(authority)/")
        // More than what the buffers of two sockets hold.
        request.body = SecretBytes(String(repeating: "1", count: moment == .sending ? 16_777_216 : 1))
        if exit == .deadline { request.deadline = .milliseconds(100) }
        return request
    }

    /// Leaves as soon as the moment has come.
    private func watch() {
        server.didArrive = { [unowned self] in leaveSoon() }
        switch moment {
        case .start: leaveSoon()
        case .dns: look { Possessions().threadCount > $0.threadCount }
        case .connect: look { Possessions.isConnecting(to: $0.full?.port ?? 0) }
        case .body: look { ($0.call?.transferredByteCount ?? 0) > 0 }
        case .proxy, .tls, .sending, .head, .end, .idle: break
        }
    }

    private func look(_ hasCome: @escaping (Visit) -> Bool) {
        loop.schedule(after: .milliseconds(1)) { [unowned self] in
            guard engine != nil else { return }
            if hasCome(self) { leave() } else { look(hasCome) }
        }
    }

    private func leaveSoon() {
        server.didArrive = {}
        loop.schedule(after: .zero) { [unowned self] in leave() }
    }

    private func leave() {
        switch exit {
        case .cancel: call?.cancel()
        case .close: engine?.close()
        case .drop, .deadline: break
        }
        call = nil
        engine = nil
        server.close()
        full?.close()
    }

    func call(_ call: HTTPCall, didEndWith result: Result<HTTPAnswer, HTTPFailure>) {
        switch result {
        case .success(let answer) where moment.hasAnswer && answer.status == 200 && answer.body.count == 2:
            resultCount += 1
        case .failure(.timeout) where exit == .deadline: resultCount += 1
        default: print("\(moment) \(exit): \(result)")
        }
        if moment == .idle { leaveSoon() } else { leave() }
    }
}
