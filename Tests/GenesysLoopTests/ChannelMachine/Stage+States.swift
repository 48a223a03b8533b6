import Testing

@testable import GenesysLoop

/// The machine's states by name, with a typical way into each.
enum StateName: String, CaseIterable {
    case idle, waiting, attempting, live, rollingOver, handedOver, draining, closing, ended

    init(_ state: ChannelMachine.State) {
        switch state {
        case .idle: self = .idle
        case .waiting: self = .waiting
        case .attempting: self = .attempting
        case .live: self = .live
        case .rollingOver: self = .rollingOver
        case .handedOver: self = .handedOver
        case .draining: self = .draining
        case .closing: self = .closing
        case .ended: self = .ended
        }
    }
}

extension Stage {
    /// A confirmed channel; its link is the first.
    static func live(
        topics: [Topic] = ["v2.a", "v2.b"], seed: UInt64 = 7, _ configure: (inout ChannelSettings) -> Void = { _ in }
    ) -> Stage {
        var stage = Stage(topics: topics, seed: seed, configure)
        stage.open()
        stage.connect(.first)
        stage.log = []
        return stage
    }

    /// The upgrade and the confirmation.
    @discardableResult
    mutating func connect(_ link: LinkID) -> [Action] { opened(link) + accept(link) }

    /// The maintenance notice came and the second link is connecting.
    mutating func announceMaintenance() {
        socketClosing(machine.current?.id ?? .stranger)
        wait(.zero)
    }

    /// In `state`: the first link is the current or last one, the second one its successor.
    ///
    /// Long after everything that is remembered from the start.
    static func inState(_ state: StateName, isOpened: Bool = true) -> Stage {
        var stage = Stage()
        if state == .idle { return stage }
        stage.open()
        stage.connect(.first)
        stage.live(.seconds(60))
        stage.enter(state, isOpened: isOpened)
        stage.log = []
        return stage
    }

    private mutating func enter(_ state: StateName, isOpened: Bool) {
        switch state {
        case .idle, .live:
            break
        case .waiting:
            ended(.first, .reset)
        case .attempting:
            ended(.first, .reset)
            wait(.seconds(1))
            if isOpened { opened(.second) }
        case .rollingOver:
            announceMaintenance()
            if isOpened { opened(.second) }
        case .handedOver:
            announceMaintenance()
            if isOpened { opened(.second) }
            ended(.first, .closed(1001))
        case .draining:
            announceMaintenance()
            connect(.second)
        case .closing:
            close()
        case .ended:
            close()
            ended(.first, .closed(1000))
        }
    }
}

/// Actions in short form, for tables and transcripts.
func words(_ actions: [ChannelMachine.Action]) -> String {
    actions.map(word).joined(separator: ", ")
}

private func word(_ action: ChannelMachine.Action) -> String {
    switch action {
    case .connect(let link, let endpoint): "connect \(link.rawValue) to \(endpoint.rawValue)"
    case .send(let link, .subscribe): "subscribe \(link.rawValue)"
    case .send(let link, .unsubscribe): "unsubscribe \(link.rawValue)"
    case .send(let link, .ping): "ping \(link.rawValue)"
    case .sendClose(let link): "close \(link.rawValue)"
    case .retire(let link): "retire \(link.rawValue)"
    case .drop(let link): "drop \(link.rawValue)"
    case .pauseReading(let link): "pause \(link.rawValue)"
    case .resumeReading(let link): "resume \(link.rawValue)"
    case .warn(let topics): "warn of \(topics.map(\.rawValue).joined(separator: " "))"
    case .releaseHeld(let link): "release \(link.rawValue)"
    case .tell(let event): word(event)
    case .finish(.closed): "closed"
    case .finish(.failed(let failure)): "failed \(failure.kind.rawValue) \(failure.reason)"
    }
}

private func word(_ event: ChannelMachine.Event) -> String {
    switch event {
    case .didSubscribe: "didSubscribe"
    case .willReconnect(let attempt): "willReconnect #\(attempt.number) \(attempt.reason)"
    case .didFailRollover(let failure): "didFailRollover \(failure.reason)"
    case .didReject: "didReject"
    case .didMiss: "didMiss"
    case .didRecover(let recovery): "didRecover \(recovery.method.rawValue)"
    case .willExpire(.lifetime): "willExpire lifetime"
    case .willExpire(.maintenance): "willExpire maintenance"
    }
}

extension [ChannelMachine.Action] {
    var gaps: [Gap] {
        compactMap { action in
            guard case .tell(.didMiss(let gap)) = action else { return nil }
            return gap
        }
    }

    var failure: ChannelFailure? {
        for case .finish(.failed(let failure)) in self { return failure }
        return nil
    }

    var attempts: [ReconnectAttempt] {
        compactMap { action in
            guard case .tell(.willReconnect(let attempt)) = action else { return nil }
            return attempt
        }
    }

    var recoveries: [Recovery] {
        compactMap { action in
            guard case .tell(.didRecover(let recovery)) = action else { return nil }
            return recovery
        }
    }

    func contains(word text: String) -> Bool { map(word).contains(text) }
}
