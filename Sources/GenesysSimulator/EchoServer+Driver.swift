package import GenesysLoop
package import ServerKit

/// The driver between the loop and the connections.
extension EchoServer: TCPListenerOwner, LoopTask, LoopCloseable {
    package func closeByLoop() {
        close()
    }

    package func listener(_ listener: TCPListener, didAccept connection: TCPConnection) {
        guard life.state == .started else { return connection.abort() }
        connection.lowWaterMark = configuration.lowWaterMark
        let made = ServerConnection(connection, owner: self)
        connections.add(made)
        made.start()
    }

    package func listener(_ listener: TCPListener, didFailWith error: UVError) {
        failure = SimulatorError(.cannotListen, "The echo server accepts no more connections: \(error.text).")
    }

    /// Sends what is queued, one write for each connection; then slows down those whose clients do not read.
    package func runTask() {
        for connection in connections.takeUnflushed() {
            connection.flush()
            if connection.queuedByteCount >= configuration.highWaterMark { connection.pauseReading() }
        }
        endIfDone()
    }
}

/// The settings for its connections, and their events.
extension EchoServer: ServerConnectionOwner {
    var limits: MessageLimits { MessageLimits(maxMessageByteCount: configuration.maxMessageSize) }
    var compression: Compression? { configuration.compression }
    var requestTimeout: Duration { configuration.requestTimeout }
    var closeTimeout: Duration { configuration.closeTimeout }
    /// Reading stops long before this: nothing is ever dropped.
    var maxQueuedByteCount: Int { .max }
    var upgradeDelay: Duration { .zero }
    var answersPingFrames: Bool { true }
    var servesRequests: Bool { false }
    var wire: SimulatedService.Configuration.Wire { .init() }

    func connection(
        _ connection: ServerConnection, didRequest request: SimulatedService.RESTRequest
    ) -> SimulatedService.RESTAnswer? { nil }

    func connection(_ connection: ServerConnection, didRequest target: String) -> ServerConnection.Answer { .accept }

    func connection(_ connection: ServerConnection, didReceive kind: MessageKind, _ message: [UInt8]) {
        if connection.send(kind == .text ? .text : .binary, message) { echoCount += 1 }
    }

    func connectionDidLeave(_ connection: ServerConnection) {}

    func connectionHasOutput(_ connection: ServerConnection) {
        connections.addUnflushed(connection)
        loop.schedule(self)
    }

    func connectionDidDrain(_ connection: ServerConnection) {
        if connection.queuedByteCount <= configuration.lowWaterMark { connection.resumeReading() }
    }

    func connection(_ connection: ServerConnection, didEndWith group: HandleGroup) {
        connections.remove(connection, endingWith: group)
        group.whenEmpty(self)
    }
}
