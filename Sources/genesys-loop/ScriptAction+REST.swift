import GenesysLoop
import GenesysSimulator

// The steps of a script about tokens and the REST side.
extension ScriptAction {
    typealias Change = (inout Configuration) -> Void

    /// Turns the check of tokens on, unless the step says otherwise.
    static func tokens(_ step: inout ScriptMembers) throws(SimulatorScript.Invalid) -> Change {
        let areRequired = try step.optionalBool("required") ?? true
        let life = try step.optionalNumber("life")
        let maxCount = try step.optionalInteger("max", in: 1...1_000_000)
        let id = try step.optionalText("clientId")
        let secret = try step.optionalText("clientSecret")
        var state: Configuration.Tokens.ClientState?
        if step.isText("client") {
            state = try choice("client", [("active", .active), ("disabled", .disabled), ("unknown", .unknown)], &step)
        }
        let endChannels = try step.optionalBool("endChannels")
        let foreign = try step.optionalInteger("foreignChannels", in: 403...404)
        return {
            $0.tokens.areRequired = areRequired
            if let life { $0.tokens.life = .seconds(life) }
            if let maxCount { $0.tokens.maxLiveCount = maxCount }
            if let id { $0.tokens.clientID = id }
            if let secret { $0.tokens.clientSecret = secret }
            if let state { $0.tokens.clientState = state }
            if let endChannels { $0.tokens.endChannels = endChannels }
            if let foreign { $0.tokens.hidesForeignChannels = foreign == 404 }
        }
    }

    static func rates(_ step: inout ScriptMembers) throws(SimulatorScript.Invalid) -> Change {
        let requests = try step.optionalInteger("requests", in: 0...1_000_000)
        let creations = try step.optionalInteger("creations", in: 0...1_000_000)
        var retryAfter: Configuration.Rates.RetryAfter?
        if step.isText("retryAfter") {
            retryAfter = try choice("retryAfter", [("remaining", .remaining), ("none", .absent)], &step)
        } else {
            retryAfter = try step.optionalNumber("retryAfter").map { .seconds(Int($0)) }
        }
        return {
            if let requests { $0.rates.requestsPerMinute = requests }
            if let creations { $0.rates.creationsPerMinute = creations }
            if let retryAfter { $0.rates.retryAfter = retryAfter }
        }
    }

    static func wire(_ step: inout ScriptMembers) throws(SimulatorScript.Invalid) -> Change {
        let keepAlive = try step.optionalBool("keepAlive")
        let lowerCase = try step.optionalBool("lowerCase")
        let chunked = try step.optionalBool("chunked")
        let interim = try step.optionalBool("continue")
        var isHTTP10: Bool?
        if step.isText("version") { isHTTP10 = try choice("version", [("1.0", true), ("1.1", false)], &step) }
        return {
            if let keepAlive { $0.wire.keepsConnections = keepAlive }
            if let lowerCase { $0.wire.lowercasesNames = lowerCase }
            if let chunked { $0.wire.isChunked = chunked }
            if let interim { $0.wire.sendsContinue = interim }
            if let isHTTP10 { $0.wire.isHTTP10 = isHTTP10 }
        }
    }

    /// The members of `set` about topics and channels over REST.
    static func topics(_ step: inout ScriptMembers) throws(SimulatorScript.Invalid) -> Change {
        let unnamed = try step.optionalTexts("unnamedTopics")
        let ignoreErrors = try step.optionalBool("ignoreErrors")
        let size = try step.optionalNumber("catalogSize")
        var overflow: Configuration.Channels.Overflow?
        if step.isText("overflow") {
            overflow = try choice("overflow", [("evict", .evict), ("starve", .starve)], &step)
        }
        return {
            if let unnamed { $0.commands.unnamedTopics = Set(unnamed.map { Topic($0) }) }
            if let ignoreErrors { $0.channels.permitsIgnoringErrors = ignoreErrors }
            if let size { $0.channels.minCatalogByteCount = Int(min(size, 64e6)) }
            if let overflow { $0.channels.overflow = overflow }
        }
    }

    // MARK: Faults

    static func fault(_ step: inout ScriptMembers) throws(SimulatorScript.Invalid) -> SimulatedService.Fault {
        let path = try step.optionalText("path")
        var method: String?
        if step.isText("method") {
            method = try choice("method", ["GET", "HEAD", "POST", "PUT", "DELETE"].map { ($0, $0) }, &step)
        }
        let delay = try step.optionalNumber("delay")
        var fault = SimulatedService.Fault(
            path: path, method: method, answer: try answer(&step, isNeeded: delay == nil))
        guard fault.isPossible else {
            throw step.fault(
                "'path' in \(step.place) is not the end of a path of the service, such as 'subscriptions'.")
        }
        fault.delay = .seconds(delay ?? 0)
        fault.skipCount = try step.optionalInteger("after", in: 0...1_000_000) ?? 0
        fault.count = try step.optionalInteger("count", in: 1...1_000_000)
        if let takesEffect = try step.optionalBool("acts") { fault.takesEffect = takesEffect }
        return fault
    }

    /// The status or the word of `answer`; as without the fault if neither is there, nor needed.
    private static func answer(
        _ step: inout ScriptMembers, isNeeded: Bool
    ) throws(SimulatorScript.Invalid) -> SimulatedService.Fault.Answer {
        guard step.isText("answer") else {
            if let status = try step.optionalInteger("answer", in: 200...599) { return try answer(status, &step) }
            guard isNeeded else { return .honest }
            throw step.fault("'answer' is missing in \(step.place).")
        }
        let word = try step.text("answer")
        switch word {
        case "html": return .html(status: try step.optionalInteger("status", in: 200...599) ?? 502)
        case "empty": return .empty(status: try step.optionalInteger("status", in: 200...599) ?? 200)
        case "redirect": return .redirect(to: try step.optionalText("location") ?? "https://login.example.com/")
        default: break
        }
        let choices: [(String, SimulatedService.Fault.Answer)] = [
            ("honest", .honest), ("never", .never), ("reset", .reset), ("closeAfterRequest", .close),
            ("closeKept", .closeKept), ("truncate", .truncate), ("html", .html()), ("empty", .empty()),
            ("redirect", .redirect(to: "")),
        ]
        return try choice("answer", choices, of: word, step)
    }

    private static func answer(
        _ status: Int, _ step: inout ScriptMembers
    ) throws(SimulatorScript.Invalid) -> SimulatedService.Fault.Answer {
        let refusal = try refusal(status, &step)
        if let body = try step.optionalJSON("body") {
            return .raw(status: status, headers: refusal.headers, contentType: "application/json", body: body)
        }
        return status < 300 ? .empty(status: status) : .refuse(refusal)
    }
}
