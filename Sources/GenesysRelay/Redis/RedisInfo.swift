/// What a server says about itself by INFO.
struct RedisInfo: Hashable {
    private var values: [Substring: Substring] = [:]

    init(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            values[line[..<colon]] = line[line.index(after: colon)...]
        }
    }

    /// Such as `redis 7.0.15` or `valkey 9.1.2`.
    var version: String {
        if let version = values["valkey_version"] { return "valkey \(version)" }
        return values["redis_version"].map { "redis \($0)" } ?? "redis unknown"
    }

    var isLoading: Bool { values["loading"] == "1" }
    var isReplica: Bool { values["role"] == "slave" }
    var primary: String { "\(values["master_host"] ?? "unknown"):\(values["master_port"] ?? "0")" }
}

/// When what a server acknowledges is safe.
struct RedisDurability: Hashable {
    /// `none`, `rdb`, `aof always`, `aof everysec`, `aof no`, or `unknown`.
    let name: String
    let warnings: [String]

    /// - Parameters: the values of the settings; nil where the server does not tell.
    init(appendOnly: String?, appendSync: String?, save: String?, evictionPolicy: String?) {
        var warnings: [String] = []
        switch (appendOnly, appendSync, save) {
        case ("yes", "always", _):
            name = "aof always"
        case ("yes", "everysec", _):
            name = "aof everysec"
            warnings.append(
                "The server writes to its disk once a second (appendfsync everysec): if its machine fails, the last "
                    + "second is lost. The relay reports that with a gap record.")
        case ("yes", let sync?, _):
            name = "aof \(sync)"
            warnings.append(
                "The server leaves it to the system when it writes to its disk (appendfsync \(sync)): if its machine "
                    + "fails, up to half a minute is lost. The relay reports that with a gap record.")
        case ("no", _, let save?) where save.isEmpty:
            name = "none"
            warnings.append(
                "The server keeps nothing on its disk (appendonly no, no save): if it ends, the stream is lost. The "
                    + "relay reports that with a gap record.")
        case ("no", _, let save?):
            name = "rdb"
            warnings.append(
                "The server writes to its disk by snapshots only (save \(save)): if it ends otherwise than by SHUTDOWN, "
                    + "everything since the last one is lost. The relay reports that with a gap record.")
        default:
            name = "unknown"
            warnings.append(
                "The server does not tell its settings (CONFIG GET is refused): what may be lost if it ends is unknown."
            )
        }
        if let evictionPolicy, evictionPolicy.hasPrefix("allkeys") {
            warnings.append(
                "The server may remove the whole stream when its memory is full (maxmemory-policy \(evictionPolicy)): "
                    + "use noeviction or a volatile policy.")
        }
        self.warnings = warnings
    }
}
