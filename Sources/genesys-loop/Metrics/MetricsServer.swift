import ArgumentParser
import GenesysLoop
import Logging
import ServerKit

/// The HTTP server of `--metrics-listen`, on the loop of the channel: `/metrics`, `/healthz` and `/readyz`.
///
/// When `MetricsLimits.connectionCount` connections are open, the one that has sent nothing for the longest time makes
/// room for a new one, so clients that only connect cannot block it. One that was served can connect again and loses
/// nothing; one that has sent no request gets 503. If each has sent a part of a request, or gets an answer, the new one
/// gets 503, because to end one of the others would lose an answer.
///
/// It keeps the loop running until `close()`.
final class MetricsServer {
    /// Why it cannot listen; one sentence.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let loop: UVLoop
    let limits: MetricsLimits
    /// The address that it listens on, with its real port.
    let address: SocketAddress
    let content: MetricsContent

    private let log: EventLog
    private let isLoopback: Bool
    private let listener: TCPListener
    private let timer: Timer
    /// The connections that are served.
    private var served: [MetricsConnection] = []
    /// The connections that get 503.
    private var refused: [MetricsConnection] = []
    /// The listener failed, which was reported.
    private var isSilent = false

    /// Makes a server that listens.
    init(
        on loop: UVLoop, at wanted: MetricsAddress, content: MetricsContent, log: EventLog,
        limits: MetricsLimits = MetricsLimits()
    ) throws(Failure) {
        self.loop = loop
        self.content = content
        self.log = log
        self.limits = limits
        isLoopback = wanted.isLoopback
        let group = HandleGroup(loop: loop)
        listener = TCPListener(loop: loop, group: group)
        timer = Timer(loop: loop, group: group)
        listener.reservedDescriptorCount = limits.reservedDescriptorCount
        do throws(UVError) {
            try listener.bind(host: wanted.host, port: wanted.port, backlog: Self.backlog)
        } catch {
            let reason = TCPListener.sentence(error, host: wanted.host, port: wanted.port, server: "the tool")
            throw Failure(description: "--metrics-listen: \(reason)")
        }
        guard let address = listener.localAddress else {
            throw Failure(description: "--metrics-listen: The system does not tell the port.")
        }
        self.address = address
        unsafe listener.owner = self
        unsafe timer.owner = self
    }

    deinit {
        listener.close()
        timer.close()
    }

    /// Few, so that one turn of the loop accepts no more.
    private static let backlog: Int32 = 128

    /// Makes a server for `--metrics-listen`, or ends the command.
    static func start(
        _ address: MetricsAddress, _ content: MetricsContent, on loop: UVLoop, log: EventLog
    ) throws -> MetricsServer {
        do throws(Failure) {
            return try MetricsServer(on: loop, at: address, content: content, log: log)
        } catch {
            log.write(.log(.error, error.description))
            throw ExitCode(ExitStatus.unavailable.rawValue)
        }
    }

    /// Says where it is, and who can reach it.
    func announce(with logger: Logger) {
        log.write(.log(.notice, "Metrics: \(uri)"))
        guard !isLoopback else { return }
        logger.warning("--metrics-listen: everybody who can reach \(address) can read the metrics.")
    }

    /// The URI of the metrics.
    var uri: String { "http://\(address)/metrics" }

    /// Ends everything at once, answers on their way too.
    func close() {
        listener.close()
        timer.close()
        for connection in served + refused { connection.end() }
    }

    func connectionDidEnd(_ connection: MetricsConnection) {
        served.removeAll { $0 === connection }
        refused.removeAll { $0 === connection }
    }

    /// The one among `connections` that has done nothing for the longest time.
    private static func expendable(_ connections: [MetricsConnection]) -> MetricsConnection? {
        connections.lazy.filter(\.isExpendable).min { $0.since < $1.since }
    }

    private func displace(_ connection: MetricsConnection) {
        guard connection.isSilent else { return connection.end() }
        served.removeAll { $0 === connection }
        refuse(connection)
    }

    private func refuse(_ connection: MetricsConnection) {
        if refused.count >= limits.connectionCount { refused.first?.end() }
        refused.append(connection)
        connection.refuse()
    }
}

extension MetricsServer: TCPListenerOwner, TimerOwner {
    func listener(_ listener: TCPListener, didAccept connection: TCPConnection) {
        let made = MetricsConnection(connection, server: self)
        if served.count >= limits.connectionCount, let displaced = Self.expendable(served) { displace(displaced) }
        guard served.count < limits.connectionCount else { return refuse(made) }
        served.append(made)
        made.start()
    }

    /// The system has no descriptor left, and the listener has closed itself. Open connections go on.
    func listener(_ listener: TCPListener, didFailWith error: UVError) {
        listenLater(error)
    }

    func timerDidFire(_ timer: Timer) {
        do throws(UVError) {
            try listener.bind(host: address.host, port: address.port, backlog: Self.backlog)
        } catch {
            return listenLater(error)
        }
        unsafe listener.owner = self
        isSilent = false
        log.write(.log(.notice, "The metrics can be reached again: \(uri)"))
    }

    private func listenLater(_ error: UVError) {
        if !isSilent { log.write(.log(.warning, "The metrics cannot be reached for the time being: \(error.text).")) }
        isSilent = true
        timer.start(at: loop.now.instant + limits.pause)
    }
}
