package import GenesysLoop

/// Records as entries of a stream of Redis or Valkey.
///
/// One connection at a time; a script of ours appends, and refuses what a stale writer sends. Everything happens on the
/// loop's thread, and nothing blocks it.
package final class RedisSink: RelayLeaseStore {
    package struct Configuration: Sendable {
        package var target: RedisTarget
        /// The relay's name.
        package var name: String
        /// The key of the stream; nil for `genesys:NAME`.
        package var key: String?
        /// In place of one in the target.
        package var password: SecretText?
        /// What `rediss://` trusts, and the relay's certificate.
        package var tls = TLSConfiguration()
        /// About how many entries the stream keeps; nil for all.
        package var maxLength: Int?
        var limits = EngineStream.Limits()

        package init(target: RedisTarget, name: String) {
            self.target = target
            self.name = name
        }
    }

    /// How many servers in a row may send the relay to another one, before it begins with the first again.
    static let redirectLimit = 5
    /// For the last reply.
    static let closeLimit: Duration = .seconds(1)
    /// Every server takes a word of this size.
    static let leastBulkLimit = 1 << 20

    package weak var delegate: (any RelaySinkDelegate)?
    let loop: UVLoop
    let configuration: Configuration
    let keys: RedisKeys
    private let group: HandleGroup
    private let context: TLSContext?
    private var memory = AddressMemory()
    private(set) var connection: RedisConnection?
    private(set) var setup: RedisSetup?
    /// Whether a connection has ever worked.
    private var hasOpened = false
    private var redirect: RedisTarget.Place?
    private var redirectCount = 0
    /// Batches that were given before the last refusal, or before the head was read again, are of an older one.
    var generation = 0
    /// A large record whose connection the server ended, and how often in a row.
    var suspect: (id: RecordID, count: Int)?
    /// Who this relay is, as its last batch or lease said.
    var identity: (owner: String, epoch: UInt64)?
    private var closing: Closing?

    /// - Throws: why TLS cannot be used: a file of certificates, for example.
    /// - Precondition: called on `loop`'s thread.
    package init(_ configuration: Configuration, on loop: UVLoop) throws(RelaySinkFailure) {
        self.configuration = configuration
        self.loop = loop
        keys = RedisKeys(stream: configuration.key ?? "genesys:\(configuration.name)")
        group = HandleGroup(loop: loop)
        guard configuration.target.isSecure else {
            context = nil
            return
        }
        var tls = configuration.tls
        // Redis knows no ALPN.
        tls.applicationProtocols = []
        do throws(TLSError) {
            context = try loop.shared(tls) { () throws(TLSError) in try TLSContext(client: tls) }
        } catch {
            throw RelaySinkFailure(.configuration, error.description)
        }
    }

    deinit { connection?.close() }

    package func open(after last: RecordID?) {
        generation += 1
        if let connection, connection.isOpen { return connection.send(keys.readHead, for: .head) }
        guard connection == nil, closing == nil else { return }
        let setup = RedisSetup(
            server: server, keys: keys, name: configuration.name, user: configuration.target.user,
            password: password, database: configuration.target.database)
        let connection = RedisConnection(
            setup, to: destination, context: isSecure ? context : nil, limits: configuration.limits, memory: memory,
            loop: loop, group: group, owner: self)
        self.connection = connection
        connection.start()
    }

    package func close(coveredUntil: WallTime?, isReleased: Bool, completion: @escaping () -> Void) {
        guard closing == nil else { return }
        delegate = nil
        let closing = Closing(self, completion)
        self.closing = closing
        loop.hold()
        guard let connection, connection.isOpen, let identity else { return finishClosing() }
        closing.timer = loop.schedule(after: RedisSink.closeLimit) { [weak self] in self?.finishClosing() }
        connection.send(
            .script(
                RedisScripts.close, [keys.head, keys.lease],
                [
                    identity.owner, String(identity.epoch), coveredUntil?.microsecondText ?? "",
                    isReleased ? "released" : "",
                ]), for: .close)
    }

    private func finishClosing() {
        guard let closing, !closing.isFinishing else { return }
        closing.isFinishing = true
        closing.timer?.cancel()
        connection?.close()
        connection = nil
        group.whenEmpty(closing)
    }

    /// Calls the completion when the last handle is closed.
    private final class Closing: LoopTask {
        private let sink: RedisSink
        private let completion: () -> Void
        var timer: LoopTimer?
        var isFinishing = false

        init(_ sink: RedisSink, _ completion: @escaping () -> Void) {
            self.sink = sink
            self.completion = completion
        }

        func runTask() {
            sink.loop.unhold()
            // The sink refers to this object.
            sink.closing = nil
            completion()
        }
    }

    var password: SecretText? { configuration.password ?? configuration.target.password }

    // MARK: - Where the server is

    private var place: RedisTarget.Place { redirect ?? configuration.target.place }

    private var isSecure: Bool { if case .host(_, _, _, true) = place { true } else { false } }

    /// Names the server in sentences.
    var server: String { "Redis at \(configuration.target.with(place))" }

    private var destination: EngineStream.Destination {
        switch place {
        case .host(let host, let name, let port, _): .host(host, name: name, port: port)
        case .socket(let path): .socket(path)
        }
    }

    /// The next connection goes to the server that has the keys; to the first one again after too many of these.
    private func follow(_ redirect: RedisRedirect?) {
        guard let redirect, redirectCount < RedisSink.redirectLimit else {
            self.redirect = nil
            redirectCount = 0
            return
        }
        redirectCount += 1
        switch (place, redirect.host) {
        case (.host(let host, let name, _, let isSecure), let new):
            self.redirect = .host(new ?? host, name: new ?? name, port: redirect.port, isSecure: isSecure)
        case (.socket, _) where password != nil:
            // It would go over the network without TLS.
            self.redirect = nil
        case (.socket, let new):
            self.redirect = .host(new ?? "localhost", name: new ?? "localhost", port: redirect.port, isSecure: false)
        }
    }

    // MARK: - Ends

    /// Closes the connection, and reports its end.
    func lose(_ loss: RedisLoss) {
        connection?.close()
        memory = connection?.memory ?? memory
        report(loss)
    }

    private func report(_ loss: RedisLoss) {
        connection = nil
        generation += 1
        guard closing == nil else { return finishClosing() }
        follow(loss.redirect)
        if let kind = loss.final ?? (hasOpened ? nil : loss.finalAtFirst) {
            delegate?.sink(self, didFail: RelaySinkFailure(kind, loss.reason))
        } else {
            delegate?.sink(self, didLose: loss.reason)
        }
    }
}

extension RedisSink: RedisConnectionOwner {
    func connection(_ connection: RedisConnection, didOpen setup: RedisSetup) {
        guard closing == nil else { return finishClosing() }
        self.setup = setup
        hasOpened = true
        redirectCount = 0
        delegate?.sink(self, didOpen: setup.engine, head: setup.head)
    }

    func connection(_ connection: RedisConnection, didAnswer request: RedisRequest, with reply: RESPReply) {
        switch request {
        case .append(let append): take(reply, to: append)
        case .head: takeHead(reply)
        case .readLease: takeLease(reply)
        case .replaceLease: takeReplacement(reply)
        case .close: finishClosing()
        case .loadScript:
            if let text = reply.errorText { lose(refusal(of: "SCRIPT LOAD", text)) }
        case .setup, .ping: break
        }
    }

    func connection(_ connection: RedisConnection, didEndWith loss: RedisLoss, unanswered: RedisRequest?) {
        suspect(unanswered, after: loss)
        memory = connection.memory
        report(loss)
    }

    private func takeHead(_ reply: RESPReply) {
        if let text = reply.errorText { return lose(refusal(of: "HMGET on \(keys.head)", text)) }
        do throws(RedisLoss) {
            let head = try StreamHead.read(reply.elements, of: keys, server: server)
            guard let engine = setup?.engine else { return }
            delegate?.sink(self, didOpen: engine, head: head)
        } catch {
            lose(error)
        }
    }

    /// Why the connection is of no use after an error.
    func refusal(of subject: String, _ text: String) -> RedisLoss {
        RedisLoss(
            server: server, subject: subject, text: RedisSetup.words(text, without: password), error: RedisError(text))
    }
}

extension RESPCommand {
    /// Runs a script that is sent with it.
    static func script(_ script: String, _ keys: [String], _ arguments: [String]) -> RESPCommand {
        var command = RESPCommand("EVAL", script, String(keys.count))
        for word in keys + arguments { command.append(word) }
        return command
    }
}
