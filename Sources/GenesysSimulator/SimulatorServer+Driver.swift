package import GenesysLoop
package import ServerKit

/// The driver between the service, its sockets and the loop.
extension SimulatorServer: TCPListenerOwner, TimerOwner, LoopTask, LoopCloseable {
    package func closeByLoop() {
        close()
    }

    package func listener(_ listener: TCPListener, didAccept connection: TCPConnection) {
        guard life.state == .started else { return connection.abort() }
        acceptedSocketCount += 1
        let made = ServerConnection(connection, owner: self)
        connections.add(made)
        made.start()
    }

    package func listener(_ listener: TCPListener, didFailWith error: UVError) {
        failure = SimulatorError(.cannotListen, "The simulator accepts no more connections: \(error.text).")
    }

    package func timerDidFire(_ timer: Timer) {
        armedDeadline = nil
        perform(service.deadlineReached(now: now))
        serviceDidChange()
    }

    /// Sends what is queued, one write for each connection; then updates the timer and checks for the end.
    package func runTask() {
        for connection in connections.takeUnflushed() { connection.flush() }
        setTimer()
        endIfDone()
    }

    /// The time in the terms of the service.
    var now: Duration { loop.now.instant - origin }

    /// The service had an input: its next deadline may have changed.
    func serviceDidChange() {
        loop.schedule(self)
    }

    private func setTimer() {
        guard life.state == .started, let deadline = service.nextDeadline else {
            armedDeadline = nil
            return timer.stop()
        }
        guard deadline != armedDeadline else { return }
        armedDeadline = deadline
        timer.start(at: Instant(sinceOrigin: origin.sinceOrigin + deadline))
    }

    private func endIfDone() {
        guard let completions = life.end(isEmpty: connections.areGone && group.openCount == 0) else { return }
        loop.release(self)
        for completion in completions { completion() }
    }

    /// Executes the actions of the service, in order.
    func perform(_ actions: [SimulatedService.Action]) {
        for action in actions {
            // An earlier action may have ended a connection.
            guard let connection = sockets[action.socket] else { continue }
            switch action {
            case .send(_, let message):
                send(.text, message, on: connection)
            case .sendBinary(_, let message):
                send(.binary, message, on: connection)
            case .close(_, let code, let reason):
                connection.close(CloseCode(rawValue: code), reason: reason)
            case .drop:
                connection.drop()
            case .reset:
                connection.finish(byReset: true)
            }
        }
    }

    private func send(_ opcode: Opcode, _ message: [UInt8], on connection: ServerConnection) {
        guard connection.send(opcode, message, maxFrameByteCount: service.configuration.publishing.maxFrameByteCount)
        else { return }
        sentMessageCount += 1
    }
}

/// The settings for its connections, and their events.
extension SimulatorServer: ServerConnectionOwner {
    /// The limits of what a client may make the server hold.
    var limits: MessageLimits { MessageLimits(maxMessageByteCount: 1_048_576) }
    var upgradeDelay: Duration { service.configuration.channels.upgradeDelay }
    /// The REST side.
    var servesRequests: Bool { true }
    var wire: SimulatedService.Configuration.Wire { service.configuration.wire }
    var answersPingFrames: Bool { service.configuration.liveness.answersPingFrames }

    func connection(_ connection: ServerConnection, didRequest target: String) -> ServerConnection.Answer {
        defer { serviceDidChange() }
        switch service.upgradeRequested(target: target, now: now) {
        case .accept(let socket):
            sockets[socket] = connection
            socketIDs[ObjectIdentifier(connection)] = socket
            return .accept
        case .refuse(let refusal):
            return .refuse(refusal)
        case .reset:
            return .reset
        case .neverAnswer:
            return .neverAnswer
        }
    }

    func connection(
        _ connection: ServerConnection, didRequest request: SimulatedService.RESTRequest
    ) -> SimulatedService.RESTAnswer? {
        defer { serviceDidChange() }
        return service.restRequested(
            request, socketBase: socketBase(for: request.host), wall: loop.now.wall, now: now)
    }

    /// The service ignores binary messages.
    func connection(_ connection: ServerConnection, didReceive kind: MessageKind, _ message: [UInt8]) {
        guard kind == .text, let socket = socketIDs[ObjectIdentifier(connection)] else { return }
        if ClientCommand(bytes: message)?.verb == .subscribe { receivedSubscribeCount += 1 }
        perform(service.textReceived(on: socket, message, now: now))
        serviceDidChange()
    }

    /// The closing handshake of the connection may still continue.
    func connectionDidLeave(_ connection: ServerConnection) {
        guard let socket = socketIDs.removeValue(forKey: ObjectIdentifier(connection)) else { return }
        sockets[socket] = nil
        service.socketEnded(socket, now: now)
        serviceDidChange()
    }

    func connectionHasOutput(_ connection: ServerConnection) {
        connections.addUnflushed(connection)
        loop.schedule(self)
    }

    /// `maxQueuedByteCount` bounds what a slow client leaves unread: nothing waits for it.
    func connectionDidDrain(_ connection: ServerConnection) {}

    func connection(_ connection: ServerConnection, didEndWith group: HandleGroup) {
        connections.remove(connection, endingWith: group)
        group.whenEmpty(self)
    }
}
