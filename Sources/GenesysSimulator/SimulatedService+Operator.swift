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
        end(target, now: now, notice: nil)
    }

    /// Evicts channels, as exceeding the limit does.
    public mutating func evict(_ target: Target, now: Duration) -> [Action] {
        end(target, now: now, notice: nil)
    }

    /// Revokes the token that created the channels: they are gone, after a notice if that is configured.
    public mutating func revokeToken(_ target: Target, now: Duration) -> [Action] {
        end(target, now: now, notice: configuration.endings.announcesRevocation ? .tokenRevoked : nil)
    }

    /// Sends a system message on every open socket.
    ///
    /// `noLongerSubscribed` also removes the topics.
    public mutating func announce(_ notice: SystemNotice, to target: Target, now: Duration) -> [Action] {
        advance(to: now)
        var actions: [Action] = []
        for channel in liveChannels(target) {
            announce(notice, on: channel, into: &actions)
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

    private mutating func announce(_ notice: SystemNotice, on channel: Int, into actions: inout [Action]) {
        let message = ServiceMessage.system(notice, channelID: channels[channel].id)
        for socket in channels[channel].sockets {
            emit(.send(socket, message), into: &actions)
        }
    }

    private mutating func end(_ target: Target, now: Duration, notice: SystemNotice?) -> [Action] {
        advance(to: now)
        var actions: [Action] = []
        for channel in liveChannels(target) {
            if let notice { announce(notice, on: channel, into: &actions) }
            for action in endChannel(channel) {
                emit(action, into: &actions)
            }
        }
        return actions
    }
}
