internal import GenesysLoop

/// What is asked of a server when a connection is open, and what it answers. Pure.
struct RedisSetup {
    enum Step: Hashable {
        case auth, clientName, database, info, setting(Setting), script, type, head
    }

    /// A setting that matters for what may be lost, or how large a record may be.
    enum Setting: String, Hashable, CaseIterable {
        case appendOnly = "appendonly"
        case appendSync = "appendfsync"
        case save
        case evictionPolicy = "maxmemory-policy"
        case bulkLimit = "proto-max-bulk-len"
    }

    /// Names the server in sentences.
    let server: String
    let keys: RedisKeys
    let name: String
    let user: String?
    let password: SecretText?
    let database: Int
    private var info: RedisInfo?
    private var settings: [Setting: String] = [:]
    private(set) var scriptName = ""
    private(set) var head: StreamHead?

    init(server: String, keys: RedisKeys, name: String, user: String?, password: SecretText?, database: Int) {
        self.server = server
        self.keys = keys
        self.name = name
        self.user = user
        self.password = password
        self.database = database
    }

    /// The commands, in order.
    var commands: [(Step, RESPCommand)] {
        var commands: [(Step, RESPCommand)] = []
        if let user {
            commands.append((.auth, RESPCommand("AUTH", user, password?.value ?? "")))
        } else if let password {
            commands.append((.auth, RESPCommand("AUTH", password.value)))
        }
        commands.append((.clientName, RESPCommand("CLIENT", "SETNAME", "genesys-relay:\(name)")))
        if database > 0 { commands.append((.database, RESPCommand("SELECT", String(database)))) }
        commands.append((.info, RESPCommand("INFO")))
        for setting in Setting.allCases {
            commands.append((.setting(setting), RESPCommand("CONFIG", "GET", setting.rawValue)))
        }
        commands.append((.script, RESPCommand("SCRIPT", "LOAD", RedisScripts.append)))
        commands.append((.type, RESPCommand("TYPE", keys.stream)))
        commands.append((.head, keys.readHead))
        return commands
    }

    /// Takes the reply to a command.
    ///
    /// - Throws: why the connection is of no use.
    mutating func take(_ reply: RESPReply, to step: Step) throws(RedisLoss) {
        if let text = reply.errorText { return try take(error: text, to: step) }
        switch step {
        case .auth, .clientName, .database: break
        case .info:
            guard case .bulk(let bytes) = reply else { return }
            let info = RedisInfo(String(decoding: bytes, as: UTF8.self))
            self.info = info
            if info.isLoading { throw RedisLoss("\(server) is loading its data.") }
            if info.isReplica {
                throw RedisLoss("\(server) is a replica, which takes no records; its primary is \(info.primary).")
            }
        case .setting(let setting):
            if reply.elements.count == 2 { settings[setting] = reply.elements[1].text }
        case .script: scriptName = reply.text ?? ""
        case .type:
            if let type = reply.text, type != "none", type != "stream" {
                throw RedisLoss(
                    "The key \(keys.stream) of \(server) is a \(type), not a stream; choose another with --stream.",
                    final: .configuration)
            }
        case .head: head = try StreamHead.read(reply.elements, of: keys, server: server)
        }
    }

    private func take(error text: String, to step: Step) throws(RedisLoss) {
        let error = RedisError(text)
        let words = RedisSetup.words(text, without: password)
        func loss(_ subject: String) -> RedisLoss {
            RedisLoss(server: server, subject: subject, text: words, error: error)
        }
        switch (step, error) {
        // What the server says before it ends a connection answers the first command.
        case (_, .unauthorized), (_, .lost), (_, .moved): throw loss(subject(of: step))
        case (.auth, .misconfigured), (.auth, .other):
            throw RedisLoss(server: server, subject: "AUTH", text: words, error: .unauthorized)
        case (.database, .other):
            throw RedisLoss(server: server, subject: subject(of: step), text: words, error: .misconfigured)
        case (.auth, _), (.database, _), (.script, _), (.head, _): throw loss(subject(of: step))
        case (.clientName, _), (.info, _), (.setting, _), (.type, _): break
        }
    }

    private func subject(of step: Step) -> String {
        switch step {
        case .auth: "AUTH"
        case .clientName: "CLIENT SETNAME"
        case .database: "SELECT \(database)"
        case .info: "INFO"
        case .setting(let setting): "CONFIG GET \(setting.rawValue)"
        case .script: "SCRIPT LOAD"
        case .type: "TYPE on \(keys.stream)"
        case .head: "HMGET on \(keys.head)"
        }
    }

    /// The server's words for people; one that repeats the password is cut.
    static func words(_ text: String, without password: SecretText?) -> String {
        if let password, !password.value.isEmpty, text.contains(password.value) {
            return String(text.prefix { $0 != " " }) + " …"
        }
        return Sentence.clause(PeerText.excerpt(text, limit: 300) ?? "no words")
    }

    // MARK: - What it told

    /// The largest word that the server takes.
    var bulkLimit: Int? { settings[.bulkLimit].flatMap { Int($0) } }

    var engine: EngineDescription {
        let settings = RedisDurability(
            appendOnly: settings[.appendOnly], appendSync: settings[.appendSync], save: settings[.save],
            evictionPolicy: settings[.evictionPolicy])
        var warnings = settings.warnings
        if info == nil { warnings.append("\(server) gives the relay no right to INFO: its version is unknown.") }
        return EngineDescription(
            version: info?.version ?? "redis unknown", durability: settings.name, warnings: warnings)
    }
}

/// The keys of a stream; all have one slot of a cluster.
struct RedisKeys: Hashable, Sendable {
    let stream: String
    var head: String { "{\(stream)}:head" }
    var lease: String { "{\(stream)}:lease" }

    var readHead: RESPCommand {
        RESPCommand("HMGET", head, "epoch", "owner", "sequence", "coveredUntil", "state")
    }
}

extension StreamHead {
    /// Reads epoch, owner, sequence, coveredUntil and state; nil if there is no head.
    static func read(_ fields: [RESPReply], of keys: RedisKeys, server: String) throws(RedisLoss) -> StreamHead? {
        guard fields.count == 5 else {
            throw RedisLoss("\(server) answered HMGET on \(keys.head) with no five fields.")
        }
        if fields[0] == .null, fields[2] == .null { return nil }
        guard let epoch = fields[0].text.flatMap({ UInt64($0) }),
            let sequence = fields[2].text.flatMap({ UInt64($0) }),
            epoch < RecordID.limit, (1..<RecordID.limit).contains(sequence)
        else {
            throw RedisLoss(
                "The key \(keys.head) of \(server) holds no head of a relay; choose another stream with --stream.",
                final: .configuration)
        }
        return StreamHead(
            last: RecordID(epoch: epoch, sequence: sequence), owner: fields[1].text ?? "",
            coveredUntil: fields[3].text.flatMap { WallTime(microsecondText: $0) },
            isReleased: fields[4].text == "released")
    }
}
