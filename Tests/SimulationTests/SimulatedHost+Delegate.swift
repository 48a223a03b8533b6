import GenesysSimulator

@testable import GenesysLoop

/// Takes messages to the delegate, which may act on them.
extension SimulatedHost {
    func receive(_ message: [UInt8], on link: NetworkLink, _ now: ClockReading) {
        let span = message.span
        do throws(EnvelopeError) {
            let envelope = try EnvelopeScanner.scan(span)
            let kind = MessageClass(envelope, in: span)
            guard kind != .notification else { return receiveNotification(message, on: link) }
            world.note(index, "hears \(String(decoding: message, as: UTF8.self))")
            let actions = input {
                $0.controlMessageReceived(kind, envelope, in: span, on: link.id, now: now)
            }
            guard let actions else { return discard() }
            enqueue(actions)
            auditor.updatePromises(machine)
        } catch {
            discard()
        }
    }

    func discard() {
        guard machine.isDelivering else { return }
        auditor.discarded()
    }

    private func receiveNotification(_ message: [UInt8], on link: NetworkLink) {
        auditor.read(message, on: link.id)
        auditor.examineCopy(message, on: link)
        guard !isDirect else {
            input { _ in }
            return deliver(message)
        }
        let fingerprint = machine.wantsFingerprints ? Fingerprint.of(message.span) : 0
        switch input({ $0.notificationReceived(on: link.id, fingerprint: fingerprint, byteCount: message.count) }) {
        case .deliver: deliver(message)
        case .hold: held[link.id, default: []].append(message)
        case .ignore: break
        }
    }

    func releaseHeld(_ id: LinkID, evenIfPaused: Bool = false) {
        guard let messages = held.removeValue(forKey: id) else { return }
        for (index, message) in messages.enumerated() {
            guard evenIfPaused || !machine.isPaused else {
                held[id] = Array(messages[index...])
                return
            }
            let fingerprint = machine.wantsFingerprints ? Fingerprint.of(message.span) : 0
            let verdict = input { $0.heldNotificationReleased(from: id, fingerprint: fingerprint) }
            if verdict == .deliver { deliver(message) }
        }
    }

    func releaseLeftovers() {
        guard !held.isEmpty, !machine.isPaused else { return }
        for id in held.keys.sorted(by: { $0.rawValue < $1.rawValue }) where !machine.isHolding(id) {
            releaseHeld(id)
        }
    }

    private func deliver(_ message: [UInt8]) {
        auditor.delivered(message)
        guard world.scenario.whim > 0, world.isEventful, whim.oneIn(world.scenario.whim) else { return }
        switch whim.below(6) {
        case 0, 1, 2:
            world.note(index, "pauses in the callback")
            pause()
            world.plan(.resume(host: index), at: world.time + whim.time(0...3))
        case 3:
            setTopics(TopicPlan.choose(using: &whim))
        default:
            guard !world.scenario.profile.isHarmless else { return }
            rollover(to: world.target(.newChannel, for: self))
        }
    }

    func tell(_ event: ChannelMachine.Event) {
        auditor.told(event, self)
        if case .willExpire(.maintenance) = event, whim.below(100) < world.scenario.answersMaintenance {
            rollover(to: world.target(.newChannel, for: self))
        }
    }
}

/// The two clocks of a host: the monotonic one stops while it sleeps, the civil one can be set.
struct HostClock {
    private static let origin = Instant(nanoseconds: 1_000_000_000_000)
    private static let wallOrigin: Int64 = 1_700_000_000

    var asleep: VirtualTime = 0
    var wallOffset: VirtualTime = 0

    func moment(at time: VirtualTime) -> ClockReading {
        let (seconds, rest) = (time + wallOffset).quotientAndRemainder(dividingBy: .second)
        return ClockReading(
            instant: Instant(nanoseconds: HostClock.origin.nanoseconds + time - asleep),
            wall: WallTime(seconds: HostClock.wallOrigin + seconds, nanoseconds: Int32(rest)))
    }

    /// The true time at which the monotonic clock shows `instant`.
    func time(of instant: Instant) -> VirtualTime {
        instant.nanoseconds == .max ? .never : instant.nanoseconds - HostClock.origin.nanoseconds + asleep
    }

    /// The true time at which the civil clock, as it is set now, shows or showed `wall`.
    func time(of wall: WallTime) -> VirtualTime {
        (wall.seconds - HostClock.wallOrigin) * .second + VirtualTime(wall.nanoseconds) - wallOffset
    }
}
