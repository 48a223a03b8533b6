internal import GenesysLoop

// Commands of the client and the replies. Protocol: client to server messages, command responses.
extension SimulatedService {
    /// Handles a text message from a client.
    ///
    /// - Parameters:
    ///   - socket: the socket of the message; nothing happens if it has ended.
    ///   - bytes: the whole message. Text that is not a command is ignored, as the real service does.
    ///   - now: the time since the driver's origin.
    public mutating func textReceived(on socket: SocketID, _ bytes: [UInt8], now: Duration) -> [Action] {
        advance(to: now)
        guard let channel = sockets[socket]?.channel else { return [] }
        var actions: [Action] = []
        let command = ClientCommand(bytes: bytes)
        switch command?.verb {
        case .ping:
            answerPing(on: socket, now: now, into: &actions)
        case .subscribe, .unsubscribe:
            guard let command else { break }
            if !isLive(channel) {
                answerGone(command, on: socket, into: &actions)
            } else if command.verb == .subscribe {
                subscribe(command, on: socket, of: channel, now: now, into: &actions)
            } else {
                unsubscribe(command, on: socket, of: channel, into: &actions)
            }
        case nil:
            answerJunk(on: socket, into: &actions)
        }
        settleSchedule(now: now)
        return actions
    }

    private mutating func answerPing(on socket: SocketID, now: Duration, into actions: inout [Action]) {
        let liveness = configuration.liveness
        guard liveness.answersPings else { return }
        if liveness.pongDelay > .zero {
            deadlines.add(.perform(.send(socket, ServiceMessage.pong)), at: now + liveness.pongDelay)
        } else {
            emit(.send(socket, ServiceMessage.pong), into: &actions)
        }
    }

    private mutating func answerJunk(on socket: SocketID, into actions: inout [Action]) {
        switch configuration.commands.junk {
        case .ignore:
            break
        case .answer:
            let reply = ServiceMessage.reply(
                correlationID: nil, topics: [], result: "400", status: "error", message: "Unknown message.")
            emit(.send(socket, reply), into: &actions)
        case .close(let code):
            emit(.close(socket, code: code, reason: "Unknown message"), into: &actions)
        }
    }

    private mutating func answerGone(_ command: ClientCommand, on socket: SocketID, into actions: inout [Action]) {
        guard configuration.endings.goneChannel == .answerNotFound else { return }
        let reply = ServiceMessage.reply(
            correlationID: command.correlationID, topics: command.topics ?? [], result: "404", status: nil,
            message: Refusal.notFound.message)
        emit(.send(socket, reply), into: &actions)
    }

    // MARK: Subscribe

    private mutating func subscribe(
        _ command: ClientCommand, on socket: SocketID, of channel: Int, now: Duration, into actions: inout [Action]
    ) {
        let mode = configuration.commands.subscribeReply
        if case .refuse(let result, let status, let message) = mode {
            let reply = ServiceMessage.reply(
                correlationID: command.correlationID, topics: command.topics ?? [], result: result, status: status,
                message: message)
            emit(.send(socket, reply), into: &actions)
            return
        }
        let reply = Action.send(socket, decideSubscribe(command, for: channel, now: now))
        switch mode {
        case .honest:
            emit(reply, into: &actions)
        case .delayed(let delay):
            deadlines.add(.perform(reply), at: now + delay)
        case .afterData:
            publishFirst(of: command.topics ?? [], into: &actions)
            emit(reply, into: &actions)
        case .twice:
            emit(reply, into: &actions)
            emit(reply, into: &actions)
        case .unsaid, .refuse:
            break
        }
    }

    /// Applies a subscribe completely or not at all, and returns the reply.
    private mutating func decideSubscribe(_ command: ClientCommand, for channel: Int, now: Duration) -> [UInt8] {
        guard let names = command.topics, !names.isEmpty else {
            return missingData(of: command, verb: "subscribe")
        }
        let replaces = configuration.commands.subscribeReplaces
        let topics = names.map { Topic(rawValue: $0) }
        if let refusal = refusal(of: topics, for: channel, replaces: replaces) {
            return ServiceMessage.reply(
                correlationID: command.correlationID, topics: names, result: "400", status: "failure",
                message: refusal.message)
        }
        apply(topics, to: channel, replaces: replaces, now: now)
        let unnamed = configuration.commands.unnamedTopics
        return ServiceMessage.reply(
            correlationID: command.correlationID, topics: names.filter { !unnamed.contains(Topic(rawValue: $0)) },
            result: "200", status: "subscribed")
    }

    /// Removes topics by the names under which they were subscribed; other names are not an error.
    private mutating func unsubscribe(
        _ command: ClientCommand, on socket: SocketID, of channel: Int, into actions: inout [Action]
    ) {
        let reply: [UInt8]
        if let names = command.topics, !names.isEmpty {
            channels[channel].topics.remove(names.map { Topic(rawValue: $0) })
            rosterIsStale = true
            reply = ServiceMessage.reply(
                correlationID: command.correlationID, topics: names, result: "200", status: "unsubscribed")
        } else {
            reply = missingData(of: command, verb: "unsubscribe")
        }
        if configuration.commands.answersUnsubscribe {
            emit(.send(socket, reply), into: &actions)
        }
    }

    private func missingData(of command: ClientCommand, verb: String) -> [UInt8] {
        ServiceMessage.reply(
            correlationID: command.correlationID, topics: [], result: "400", status: "error",
            message: "Required data missing from \(verb) request.")
    }
}
