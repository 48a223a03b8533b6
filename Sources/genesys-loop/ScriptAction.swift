import GenesysLoop
import GenesysSimulator

/// One action of a script.
enum ScriptAction {
    typealias Configuration = SimulatedService.Configuration

    case maintenance(lead: Double, notices: Int)
    case disconnect(Configuration.Endings.Ending)
    case expire
    case evict
    case revokeToken
    case expireTokens
    case otherProcess(channels: Int)
    case rest(SimulatedService.Fault)
    case announce(SimulatedService.SystemNotice)
    case publish(topic: Topic, body: [UInt8])
    case send(text: String, isBinary: Bool)
    case configure((inout Configuration) -> Void)
    case stop

    init(_ step: inout ScriptMembers) throws(SimulatorScript.Invalid) {
        let name = try step.text("do")
        switch name {
        case "maintenance":
            self = .maintenance(
                lead: try step.optionalNumber("lead") ?? 60,
                notices: try step.optionalInteger("notices", in: 0...1_000) ?? 1)
        case "disconnect": self = .disconnect(try Self.ending(&step))
        case "expire": self = .expire
        case "evict": self = .evict
        case "revokeToken": self = .revokeToken
        case "expireTokens": self = .expireTokens
        case "otherProcess":
            self = .otherProcess(channels: try step.optionalInteger("channels", in: 0...1_000) ?? 1)
        case "rest": self = .rest(try Self.fault(&step))
        case "tokens": self = .configure(try Self.tokens(&step))
        case "rates": self = .configure(try Self.rates(&step))
        case "wire": self = .configure(try Self.wire(&step))
        case "announce": self = .announce(try Self.notice(&step))
        case "publish":
            let topic = Topic(try step.text("topic"))
            self = .publish(topic: topic, body: try step.optionalJSON("body") ?? Array("{}".utf8))
        case "send":
            let isBinary = try step.optionalBool("binary") ?? false
            self = .send(text: try step.text("text"), isBinary: isBinary)
        case "upgrades": self = .configure(try Self.upgrades(&step))
        case "creations": self = .configure(try Self.creations(&step))
        case "subscribes": self = .configure(try Self.subscribes(&step))
        case "set": self = .configure(try Self.settings(&step))
        case "stop": self = .stop
        default: throw step.fault("'\(name)' in \(step.place) is nothing that a script can do.")
        }
    }

    /// A value that is not among the choices is an error that lists them.
    static func choice<Value>(
        _ name: String, _ choices: [(String, Value)], _ step: inout ScriptMembers
    ) throws(SimulatorScript.Invalid) -> Value {
        try choice(name, choices, of: try step.text(name), step)
    }

    static func choice<Value>(
        _ name: String, _ choices: [(String, Value)], of text: String, _ step: ScriptMembers
    ) throws(SimulatorScript.Invalid) -> Value {
        if let found = choices.first(where: { $0.0 == text }) { return found.1 }
        let all = choices.map { "'\($0.0)'" }.joined(separator: ", ")
        throw step.fault("'\(name)' in \(step.place) is none of \(all).")
    }

    private static func ending(
        _ step: inout ScriptMembers
    ) throws(SimulatorScript.Invalid) -> Configuration.Endings.Ending {
        let code = try step.optionalInteger("code", in: 0...65_535)
        if let code { return .close(code: UInt16(code)) }
        return try choice("by", [("drop", .drop), ("reset", .reset), ("close", .close(code: 1000))], &step)
    }

    private static func notice(
        _ step: inout ScriptMembers
    ) throws(SimulatorScript.Invalid) -> SimulatedService.SystemNotice {
        try choice("notice", SimulatedService.SystemNotice.allCases.map { ($0.rawValue, $0) }, &step)
    }

    private static func refusal(
        _ step: inout ScriptMembers
    ) throws(SimulatorScript.Invalid) -> SimulatedService.Refusal? {
        guard let status = try step.optionalInteger("refuse", in: 300...599) else { return nil }
        return try refusal(status, &step)
    }

    static func refusal(
        _ status: Int, _ step: inout ScriptMembers
    ) throws(SimulatorScript.Invalid) -> SimulatedService.Refusal {
        let seconds = try step.optionalNumber("retryAfter").map { Int($0) }
        let headers = seconds.map { [SimulatedService.Refusal.Header("Retry-After", "\($0)")] } ?? []
        return SimulatedService.Refusal(status: status, headers: headers, message: "Refused by the script.")
    }

    private static func upgrades(
        _ step: inout ScriptMembers
    ) throws(SimulatorScript.Invalid) -> (inout Configuration) -> Void {
        let delay = try step.optionalNumber("delay")
        let answer: Configuration.Channels.Upgrade
        if let refusal = try refusal(&step) {
            answer = .refuse(refusal)
        } else {
            answer = try choice(
                "answer", [("honest", .honest), ("reset", .reset), ("never", .neverAnswer)], &step)
        }
        return {
            $0.channels.upgrade = answer
            $0.channels.upgradeDelay = .seconds(delay ?? 0)
        }
    }

    private static func creations(
        _ step: inout ScriptMembers
    ) throws(SimulatorScript.Invalid) -> (inout Configuration) -> Void {
        let refusal = try refusal(&step)
        return { $0.channels.creationRefusal = refusal }
    }

    private static func subscribes(
        _ step: inout ScriptMembers
    ) throws(SimulatorScript.Invalid) -> (inout Configuration) -> Void {
        typealias Reply = Configuration.Commands.SubscribeReply
        let delay = try step.optionalNumber("delay")
        if let delay { return { $0.commands.subscribeReply = .delayed(.seconds(delay)) } }
        let choices: [(String, Reply)] = [
            ("honest", .honest), ("afterData", .afterData), ("twice", .twice), ("never", .unsaid),
            ("failure", .failure), ("error", .error), ("notFound", .notFound),
        ]
        let reply = try choice("answer", choices, &step)
        return { $0.commands.subscribeReply = reply }
    }

    private static func settings(
        _ step: inout ScriptMembers
    ) throws(SimulatorScript.Invalid) -> (inout Configuration) -> Void {
        let rate = try step.optionalNumber("rate")
        let heartbeats = try step.optionalBool("heartbeats")
        let pongs = try step.optionalBool("pongs")
        let notifications = try step.optionalBool("notifications")
        let repeats = try step.optionalNumber("repeats")
        if let repeats, repeats > 1 { throw step.fault("'repeats' in \(step.place) is not a number from 0 to 1.") }
        let size = try step.optionalNumber("minimumSize")
        let forbidden = try step.optionalTexts("forbiddenTopics")
        let topics = try topics(&step)
        return {
            topics(&$0)
            if let rate { $0.publishing.rate = rate }
            if let heartbeats { $0.liveness.sendsHeartbeats = heartbeats }
            if let pongs { $0.liveness.answersPings = pongs }
            if let notifications { $0.publishing.delivers = notifications }
            if let repeats { $0.publishing.repeatFraction = repeats }
            if let size { $0.publishing.minByteCount = Int(min(size, 64e6)) }
            if let forbidden { $0.channels.forbiddenTopics = Set(forbidden.map { Topic($0) }) }
        }
    }
}
