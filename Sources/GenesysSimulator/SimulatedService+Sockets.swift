// Sockets: upgrade, second socket, heartbeat, end. Protocol: WebSocket handshake, life cycle.
extension SimulatedService {
    /// Answers an upgrade request for `/channels/<id>`, percent-encoded or not; a query is ignored.
    ///
    /// Knowledge of the id is the only authorization. An older socket of the channel ends shortly after.
    ///
    /// - Parameters:
    ///   - target: the request target, a path and perhaps a query.
    ///   - now: the time since the driver's origin.
    public mutating func upgradeRequested(target: String, now: Duration) -> UpgradeAnswer {
        advance(to: now)
        switch configuration.channels.upgrade {
        case .honest: break
        case .refuse(let refusal): return .refuse(refusal)
        case .reset: return .reset
        case .neverAnswer: return .neverAnswer
        }
        // Empty parts are kept: a path with one more slash is another path.
        let path = target.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false)
        guard path.count == 3, path[0].isEmpty, path[1] == "channels",
            let channel = liveChannel(RESTRequest.decoded(path[2]))
        else {
            return .refuse(.notFound)
        }
        supersede(channels[channel].sockets, now: now)
        socketCount += 1
        let socket = SocketID(number: socketCount)
        sockets[socket] = SocketRecord(channel: channel)
        channels[channel].sockets.append(socket)
        channels[channel].lastUsed = now
        rosterIsStale = true
        deadlines.add(.heartbeat(socket), at: now + scaled(configuration.liveness.heartbeatInterval))
        settleSchedule(now: now)
        return .accept(socket)
    }

    /// Records that a connection is gone, whichever side ended it.
    ///
    /// The channel and its topics stay.
    public mutating func socketEnded(_ socket: SocketID, now: Duration) {
        advance(to: now)
        guard let record = sockets[socket] else { return }
        channels[record.channel].lastUsed = now
        forget(socket)
    }

    /// The open sockets of a channel, the newest last.
    public func sockets(of channelID: String) -> [SocketID] {
        channelIndices[channelID].map { channels[$0].sockets } ?? []
    }

    private mutating func supersede(_ older: [SocketID], now: Duration) {
        let endings = configuration.endings
        for socket in older where sockets[socket]?.isSuperseded == false {
            sockets[socket]?.isSuperseded = true
            if let notice = endings.supersededNotice {
                deadlines.add(.perform(.send(socket, systemMessage(notice, for: socket))), at: now)
            }
            let action = endings.superseded.action(on: socket, reason: "Another connection was opened")
            deadlines.add(.perform(action), at: now + randomDuration(in: endings.supersededDelay))
        }
    }

    private mutating func randomDuration(in range: ClosedRange<Duration>) -> Duration {
        let width = range.upperBound - range.lowerBound
        return range.lowerBound + width * Double.random(in: 0...1, using: &generator)
    }

    private func systemMessage(_ notice: SystemNotice, for socket: SocketID) -> [UInt8] {
        let channelID = sockets[socket].map { channels[$0.channel].id } ?? ""
        return ServiceMessage.system(notice, channelID: channelID)
    }

    mutating func beat(_ socket: SocketID, due: Duration, now: Duration, into actions: inout [Action]) {
        guard sockets[socket] != nil else { return }
        if configuration.liveness.sendsHeartbeats {
            actions.append(.send(socket, ServiceMessage.heartbeat))
        }
        let interval = scaled(configuration.liveness.heartbeatInterval)
        let next = due + interval
        deadlines.add(.heartbeat(socket), at: next > now ? next : now + interval)
    }

    /// Makes actions due.
    mutating func perform(_ actions: [Action], at due: Duration) {
        for action in actions { deadlines.add(.perform(action), at: due) }
    }

    /// The only way to return an action: it must concern an open socket, and may be its last.
    mutating func emit(_ action: Action, into actions: inout [Action]) {
        guard sockets[action.socket] != nil else { return }
        if action.endsSocket { forget(action.socket) }
        actions.append(action)
    }

    private mutating func forget(_ socket: SocketID) {
        guard let record = sockets.removeValue(forKey: socket) else { return }
        channels[record.channel].sockets.removeAll { $0 == socket }
        rosterIsStale = true
    }
}

extension SimulatedService.Configuration.Endings.Ending {
    func action(on socket: SimulatedService.SocketID, reason: String) -> SimulatedService.Action {
        switch self {
        case .close(let code): .close(socket, code: code, reason: reason)
        case .drop: .drop(socket)
        case .reset: .reset(socket)
        }
    }
}
