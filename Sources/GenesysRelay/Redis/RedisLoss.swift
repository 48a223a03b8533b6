/// Why a connection ended, or could not be made.
struct RedisLoss: Error, Hashable {
    /// A sentence.
    var reason: String
    /// Every later try would end like this.
    var final: RelaySinkFailure.Kind?
    /// The same, as long as no connection has worked.
    var finalAtFirst: RelaySinkFailure.Kind?
    /// Where the keys are; a nil host is the one that was asked.
    var redirect: RedisRedirect?
    /// The server ended the connection.
    var isByServer = false

    init(
        _ reason: String, final: RelaySinkFailure.Kind? = nil, finalAtFirst: RelaySinkFailure.Kind? = nil,
        redirect: RedisRedirect? = nil, isByServer: Bool = false
    ) {
        self.reason = reason
        self.final = final
        self.finalAtFirst = finalAtFirst
        self.redirect = redirect
        self.isByServer = isByServer
    }

    /// What a user of the server must be allowed to do.
    static let rights =
        "+@connection +info +config|get +type +hmget +hget +hset +hdel +hincrby +xadd +xtrim +eval +evalsha +script|load"

    /// A command was refused, and nothing can go on.
    ///
    /// - Parameters:
    ///   - server: names the server.
    ///   - subject: the command, and the key if it has one, such as `EVALSHA on genesys:a`.
    ///   - text: the server's words.
    init(server: String, subject: String, text: String, error: RedisError) {
        switch error {
        case .unauthorized:
            self.init(
                "\(server) refuses the relay (\(subject)): \(text). Check user and password.", final: .authorization)
        case .misconfigured:
            var advice = ""
            if text.hasPrefix("NOPERM") { advice = " The relay's user needs \(RedisLoss.rights) on its keys." }
            if text.hasPrefix("WRONGTYPE") {
                advice = " The stream, its head or its lease is a key of another type: choose another --stream."
            }
            self.init("\(server) refuses \(subject): \(text).\(advice)", final: .configuration)
        case .moved(let host, let port):
            self.init(
                "\(server) sends the relay to the server of its keys: \(text).",
                redirect: RedisRedirect(host: host, port: port))
        case .busy, .lost, .noScript, .tooLarge, .fenced, .hole, .other:
            self.init("\(server) does not take \(subject): \(text).")
        }
    }
}

/// The server that has the keys.
struct RedisRedirect: Hashable {
    let host: String?
    let port: UInt16
}
