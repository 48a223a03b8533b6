import GenesysLoop

@testable import GenesysRelay

/// A delegate that remembers what it is told, and does something then.
final class RelayHost: RelayDelegate {
    enum Call: Equatable {
        case source, pause, resume, closed
        case event(RelayEvent)
        case failed(RelayFailure.Reason, undelivered: Int)
    }

    let loop: UVLoop
    private(set) var calls: [Call] = []
    private(set) var failure: RelayFailure?
    var relay: Relay?
    var silence: Duration? = .zero
    /// Called after each call was noted.
    var onCall: (RelayHost, Call) -> Void = { _, _ in }

    init(on loop: UVLoop) { self.loop = loop }

    /// The calls without the events that every relay has.
    var plot: [Call] {
        calls.filter { call in
            switch call {
            case .event(.engineConnected), .event(.leading): false
            default: true
            }
        }
    }

    private func note(_ call: Call) {
        calls.append(call)
        onCall(self, call)
    }

    func receive(_ numbers: ClosedRange<Int>, size: Int = 0) {
        let filling = String(repeating: "x", count: size)
        for number in numbers {
            receive(
                "{\"topicName\":\"v2.t\",\"eventBody\":{\"n\":\(number),\"x\":\"\(filling)\"},"
                    + "\"metadata\":{\"CorrelationId\":\"c\(number)\"}}")
        }
    }

    func receive(_ message: String) {
        let bytes = Array(message.utf8)
        guard let envelope = try? EnvelopeScanner.scan(bytes.span) else { return }
        relay?.append(ChannelNotification(bytes.span, envelope: envelope))
    }

    func relayWantsSource(_ relay: Relay) { note(.source) }
    func relayWantsPause(_ relay: Relay) { note(.pause) }
    func relayWantsResume(_ relay: Relay) { note(.resume) }
    func relaySourceSilence(_ relay: Relay) -> Duration? { silence }
    func relay(_ relay: Relay, didReport event: RelayEvent) { note(.event(event)) }

    func relay(_ relay: Relay, didFail failure: RelayFailure) {
        self.failure = failure
        note(.failed(failure.reason, undelivered: failure.undeliveredCount))
    }

    func relayDidClose(_ relay: Relay) { note(.closed) }
}
