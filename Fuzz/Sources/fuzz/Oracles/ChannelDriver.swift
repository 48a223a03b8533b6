import GenesysLoop

/// The driver's knowledge of a channel's links: it must be able to perform every action that is requested.
struct ChannelDriver {
    private(set) var alive: Set<LinkID> = []
    /// All links so far, in order.
    private(set) var known: [LinkID] = []
    var opened: Set<LinkID> = []
    private(set) var unread: Set<LinkID> = []
    private(set) var closing: Set<LinkID> = []
    private(set) var isFinished = false
    /// The host called `close()`.
    var isClosed = false
    var complaint: String?
    private var isSubscribed = false
    private var recovery: Recovery?
    private var correlationIDs: Set<String> = []

    mutating func complain(_ text: String) {
        if complaint == nil { complaint = text }
    }

    /// `link` ended by itself.
    mutating func ended(_ link: LinkID) {
        alive.remove(link)
    }

    mutating func perform(_ action: ChannelMachine.Action) {
        if isFinished { complain("after the end: \(action)") }
        switch action {
        case .connect(let link, _):
            if known.contains(link) { complain("a used name: \(action)") }
            if isClosed { complain("after close(): \(action)") }
            known.append(link)
            alive.insert(link)
            if alive.count > 2 { complain("a third link: \(action)") }
        case .send(let link, let command): performSend(link, command)
        case .sendClose(let link):
            require(link, action)
            if !opened.contains(link) || !closing.insert(link).inserted { complain("no time to say so: \(action)") }
        case .pauseReading(let link):
            require(link, action)
            if !opened.contains(link) { complain("not open: \(action)") }
            unread.insert(link)
        case .resumeReading(let link):
            require(link, action)
            unread.remove(link)
        case .retire(let link):
            if !opened.contains(link) { complain("not open: \(action)") }
            if alive.remove(link) == nil { complain("no such link: \(action)") }
        case .drop(let link):
            if alive.remove(link) == nil { complain("no such link: \(action)") }
        case .releaseHeld(let link):
            if !known.contains(link) { complain("no such link: \(action)") }
        case .warn(let topics):
            if topics.isEmpty { complain("a warning of nothing") }
        case .tell(let event):
            if isClosed { complain("told after close(): \(action)") }
            performTell(event)
        case .finish(let end):
            isFinished = true
            alive = []
            if isClosed != (end == .closed) { complain("the wrong end: \(action)") }
        }
    }

    private mutating func require(_ link: LinkID, _ action: ChannelMachine.Action) {
        if !alive.contains(link) { complain("no such link: \(action)") }
    }

    private mutating func performSend(_ link: LinkID, _ command: OutgoingCommand) {
        if !alive.contains(link) || !opened.contains(link) || closing.contains(link) {
            complain("nobody to send to: \(link), \(command)")
        }
        guard (try? EnvelopeScanner.scan(command.encoded().span)) != nil else { return complain("no JSON: \(command)") }
        switch command {
        case .subscribe(let topics, let id), .unsubscribe(let topics, let id):
            if topics.isEmpty || id.isEmpty { complain("an empty command: \(command)") }
        case .ping: break
        }
    }

    private mutating func performTell(_ event: ChannelMachine.Event) {
        switch event {
        case .didSubscribe:
            if isSubscribed { complain("subscribed twice") }
            isSubscribed = true
        case .willReconnect(let attempt):
            let most = max(.seconds(90), attempt.failure.retryAfter ?? .zero)
            // An attempt that has begun needs no delay.
            let isDelayed = attempt.delay == .zero || (.milliseconds(100)...most).contains(attempt.delay)
            if attempt.number < 1 || !isDelayed { complain("attempt \(attempt.number) after \(attempt.delay)") }
        case .didMiss(let gap):
            if !isSubscribed { complain("missed before there was anything") }
            if gap.from > gap.to { complain("a gap that ends before it begins: \(gap)") }
        case .didRecover(let next):
            if !isSubscribed { complain("recovered before there was anything") }
            if let recovery {
                let total = recovery.reconnectCount + recovery.rolloverCount + recovery.extensionCount
                let nextTotal = next.reconnectCount + next.rolloverCount + next.extensionCount
                if nextTotal != total + 1 || next.mergedRepeats < recovery.mergedRepeats {
                    complain("\(next) after \(recovery)")
                }
            }
            if next.attemptCount < 1 { complain("no attempt: \(next)") }
            recovery = next
        case .didFailRollover(let failure):
            if failure.kind != .rollover { complain("a rollover fails as \(failure.kind)") }
        case .didReject, .willExpire:
            if !isSubscribed { complain("\(event) before the confirmation") }
        }
    }
}
