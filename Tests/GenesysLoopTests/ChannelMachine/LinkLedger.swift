import Testing

@testable import GenesysLoop

/// Keeps a driver's books and records an issue for every action that a driver could not perform.
struct LinkLedger {
    private(set) var alive: Set<LinkID> = []
    private(set) var known: Set<LinkID> = []
    private(set) var isFinished = false
    var isClosed = false
    private(set) var complaints: [String] = []

    mutating func perform(_ actions: [ChannelMachine.Action]) {
        for action in actions { perform(action) }
    }

    mutating func ended(_ link: LinkID) {
        alive.remove(link)
    }

    private mutating func perform(_ action: ChannelMachine.Action) {
        if isFinished { complain("after the end", action) }
        switch action {
        case .connect(let link, _):
            if !known.insert(link).inserted { complain("a used name", action) }
            alive.insert(link)
            if alive.count > 2 { complain("a third link", action) }
        case .send(let link, _), .sendClose(let link), .pauseReading(let link), .resumeReading(let link):
            if !alive.contains(link) { complain("no such link", action) }
        case .retire(let link), .drop(let link):
            if alive.remove(link) == nil { complain("no such link", action) }
        case .releaseHeld(let link):
            if !known.contains(link) { complain("no such link", action) }
        case .warn:
            break
        case .tell:
            if isClosed { complain("told after close()", action) }
        case .finish:
            isFinished = true
            alive = []
        }
    }

    private mutating func complain(_ text: String, _ action: ChannelMachine.Action) {
        complaints.append("\(text): \(action)")
    }

    func check(_ location: SourceLocation = #_sourceLocation) {
        #expect(complaints.isEmpty, sourceLocation: location)
    }
}
