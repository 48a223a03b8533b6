package import GenesysLoop

/// Between the service, its sockets and the loop.
extension SimulatorServer: TCPListenerOwner, TimerOwner, LoopPass {
    package func listener(_ listener: TCPListener, didAccept connection: TCPConnection) {
        guard state == .started else { return connection.abort() }
        acceptedSocketCount += 1
        let made = ServerConnection(connection, server: self)
        connections[ObjectIdentifier(made)] = made
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

    /// Sends what is queued, one write for each connection; then sees to the timer and to the end.
    package func runPass() {
        var ready: [ServerConnection] = []
        swap(&ready, &unflushed)
        for connection in ready { connection.flush() }
        setTimer()
        endingGroups.removeAll { $0.openCount == 0 }
        endIfDone()
    }

    /// The time as the service takes it.
    var now: Duration { loop.now.instant - origin }

    /// The service had an input: its next deadline may have changed.
    func serviceDidChange() {
        loop.schedule(self)
    }

    private func setTimer() {
        guard state == .started, let deadline = service.nextDeadline else {
            armedDeadline = nil
            return timer.stop()
        }
        guard deadline != armedDeadline else { return }
        armedDeadline = deadline
        timer.start(at: Instant(sinceOrigin: origin.sinceOrigin + deadline))
    }

    private func endIfDone() {
        switch state {
        case .idle, .started:
            return
        case .closing:
            guard connections.isEmpty, endingGroups.isEmpty, group.openCount == 0 else { return }
            state = .closed
        case .closed:
            break
        }
        loop.release(self)
        var done: [() -> Void] = []
        swap(&done, &completions)
        for completion in done { completion() }
    }

    /// Does what the service says, in order.
    func perform(_ actions: [SimulatedService.Action]) {
        for action in actions {
            // A connection may have ended by an action before.
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

/// What its connections tell the server.
extension SimulatorServer {
    func connection(_ connection: ServerConnection, didRequest target: String) -> SimulatedService.UpgradeAnswer {
        let answer = service.upgradeRequested(target: target, now: now)
        if case .accept(let socket) = answer { sockets[socket] = connection }
        serviceDidChange()
        return answer
    }

    func connection(on socket: SimulatedService.SocketID, didReceive text: [UInt8]) {
        if ClientCommand(bytes: text)?.verb == .subscribe { receivedSubscribeCount += 1 }
        perform(service.textReceived(on: socket, text, now: now))
        serviceDidChange()
    }

    /// The socket is over for the service.
    ///
    /// Its connection may still have to close in order.
    func connectionDidLeave(_ socket: SimulatedService.SocketID) {
        sockets[socket] = nil
        service.socketEnded(socket, now: now)
        serviceDidChange()
    }

    func connectionHasOutput(_ connection: ServerConnection) {
        unflushed.append(connection)
        loop.schedule(self)
    }

    /// The connection has let go of its socket.
    func connection(_ connection: ServerConnection, didEndWith group: HandleGroup) {
        connections[ObjectIdentifier(connection)] = nil
        endingGroups.append(group)
        group.whenEmpty(self)
    }
}
