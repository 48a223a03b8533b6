internal import GenesysLoop

// The events that an operator of the service, or a test, can cause at any time.
extension SimulatedService {
    /// Announces maintenance on every open socket of the target, and ends these sockets later.
    ///
    /// The channels and their topics stay: the same URI works immediately and afterwards. Sockets that are opened later
    /// are not affected.
    public mutating func announceMaintenance(_ target: Target, now: Duration) -> [Action] {
        advance(to: now)
        var actions: [Action] = []
        let endings = configuration.endings
        let count = endings.maintenanceNoticeCount
        let lead = scaled(endings.maintenanceLead)
        for socket in openSockets(target) {
            let end = endings.maintenance.action(on: socket, reason: "Websocket closing")
            guard count > 0 else {
                emit(end, into: &actions)
                continue
            }
            let notice = Action.send(socket, ServiceMessage.socketClosing)
            emit(notice, into: &actions)
            for number in 1..<max(1, count) {
                deadlines.add(.perform(notice), at: now + lead * number / count)
            }
            deadlines.add(.perform(end), at: now + lead)
        }
        return actions
    }

    /// Ends the life of channels now.
    public mutating func expireChannel(_ target: Target, now: Duration) -> [Action] {
        end(target, now: now)
    }

    /// Evicts channels, as exceeding the limit does.
    public mutating func evict(_ target: Target, now: Duration) -> [Action] {
        end(target, now: now)
    }

    /// Revokes the tokens that created the channels: all that they created are gone, after a notice if that is
    /// configured.
    ///
    /// For every channel: all live tokens are revoked.
    public mutating func revokeToken(_ target: Target, now: Duration) -> [Action] {
        advance(to: now)
        let owners =
            target == .all ? Set(tokenIndices.values) : Set(liveChannels(target).compactMap { channels[$0].token })
        var actions: [Action] = []
        for channel in liveChannels(target) where channels[channel].token == nil {
            for action in endChannel(channel, after: revocationNotice) { emit(action, into: &actions) }
        }
        for token in owners.sorted() {
            for action in revocation(of: token) { emit(action, into: &actions) }
        }
        return actions
    }

    /// Sends a system message on every open socket.
    ///
    /// `noLongerSubscribed` also removes the topics.
    public mutating func announce(_ notice: SystemNotice, to target: Target, now: Duration) -> [Action] {
        advance(to: now)
        var actions: [Action] = []
        for channel in liveChannels(target) {
            for action in self.notice(notice, on: channel) { emit(action, into: &actions) }
            guard notice == .noLongerSubscribed else { continue }
            channels[channel].topics.removeAll()
            rosterIsStale = true
        }
        return actions
    }

    /// Ends every open socket.
    ///
    /// The channels stay.
    public mutating func disconnect(
        _ target: Target, _ ending: Configuration.Endings.Ending = .drop, now: Duration
    ) -> [Action] {
        advance(to: now)
        var actions: [Action] = []
        for socket in openSockets(target) {
            emit(ending.action(on: socket, reason: "Disconnected"), into: &actions)
        }
        return actions
    }

    /// Sends any bytes on every open socket: broken JSON, invalid UTF-8, a binary message.
    public mutating func inject(
        _ message: [UInt8], asBinary: Bool = false, into target: Target, now: Duration
    ) -> [Action] {
        advance(to: now)
        return openSockets(target).map { asBinary ? .sendBinary($0, message) : .send($0, message) }
    }

    private func openSockets(_ target: Target) -> [SocketID] {
        switch target {
        case .all: channels.flatMap(\.sockets)
        case .channel(let id): sockets(of: id)
        }
    }

    private func notice(_ notice: SystemNotice, on channel: Int) -> [Action] {
        let message = ServiceMessage.system(notice, channelID: channels[channel].id)
        return channels[channel].sockets.map { .send($0, message) }
    }

    private var revocationNotice: SystemNotice? { configuration.endings.announcesRevocation ? .tokenRevoked : nil }

    /// Ends a token whose channels end after a notice; the caller emits the returned actions.
    mutating func revocation(of token: Int) -> [Action] {
        var actions: [Action] = []
        if configuration.tokens.endChannels {
            for channel in channels.indices where channels[channel].token == token && isLive(channel) {
                actions += endChannel(channel, after: revocationNotice)
            }
        }
        return actions + endToken(token)
    }

    private mutating func endChannel(_ channel: Int, after announcement: SystemNotice?) -> [Action] {
        let messages = announcement.map { notice($0, on: channel) } ?? []
        return messages + endChannel(channel)
    }

    private mutating func end(_ target: Target, now: Duration) -> [Action] {
        advance(to: now)
        var actions: [Action] = []
        for channel in liveChannels(target) {
            for action in endChannel(channel) { emit(action, into: &actions) }
        }
        return actions
    }
}
