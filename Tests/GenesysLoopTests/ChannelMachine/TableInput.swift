import Testing

@testable import GenesysLoop

/// Every input of the machine, with its subject.
enum TableInput: String, CaseIterable {
    case openRequested, closeRequested, rolloverRequested
    case pauseRequested, resumeRequested, resumeAfterPause
    case topicsChanged
    case candidateOpened, currentOpened, strangerOpened
    case bytesOnCurrent, bytesOnCandidate, bytesOnStranger
    case currentEndedClean, currentEndedUnclean, candidateEndedClean, candidateEndedUnclean
    case strangerEndedClean, strangerEndedUnclean
    case notificationOnCurrent, notificationOnCandidate, notificationOnStranger
    case heldReleased
    case pong
    case replyAccepted, replyRefused, replyToNobody
    case closingNoticeOnCurrent, closingNoticeOnCandidate
    case noLongerSubscribed, duplicateID, subscriptionChanged, tokenRevoked, unknownTopic
    case timerEarly, timerDue

    /// The link to be opened must not be open yet.
    var wantsUnopened: Bool { self == .candidateOpened }

    /// What must have happened before, in addition to the way into the state.
    func prepare(_ stage: inout Stage) {
        switch self {
        case .resumeAfterPause:
            stage.pause()
            stage.block(.seconds(3))
        case .replyAccepted, .replyRefused:
            if stage.machine.candidate?.pending.isEmpty != false { stage.setTopics(["v2.a", "v2.b", "v2.c"]) }
        default:
            break
        }
        stage.log = []
    }

    /// Feeds it and returns the actions in short form; empty for none.
    func feed(_ stage: inout Stage) -> String {
        switch self {
        case .openRequested: words(stage.open())
        case .closeRequested: words(stage.close())
        case .rolloverRequested: words(stage.rollover(to: .other))
        case .pauseRequested: words(stage.pause())
        case .resumeRequested, .resumeAfterPause: words(stage.resume())
        case .topicsChanged: words(stage.setTopics(["v2.b", "v2.c"]))
        case .candidateOpened: words(stage.opened(.second))
        case .currentOpened: words(stage.opened(.first))
        case .strangerOpened: words(stage.opened(.stranger))
        case .bytesOnCurrent, .bytesOnCandidate, .bytesOnStranger: feedBytes(&stage)
        case .currentEndedClean: words(stage.ended(.first, .closed(1001)))
        case .currentEndedUnclean: words(stage.ended(.first, .reset))
        case .candidateEndedClean: words(stage.ended(.second, .closed(1001)))
        case .candidateEndedUnclean: words(stage.ended(.second, .reset))
        case .strangerEndedClean: words(stage.ended(.stranger, .closed(1001)))
        case .strangerEndedUnclean: words(stage.ended(.stranger, .reset))
        case .notificationOnCurrent: "\(stage.message(.first, 1))"
        case .notificationOnCandidate: "\(stage.message(.second, 1))"
        case .notificationOnStranger: "\(stage.message(.stranger, 1))"
        case .heldReleased: "\(stage.released(.second, 1))"
        default: feedMessage(&stage)
        }
    }

    private func feedBytes(_ stage: inout Stage) -> String {
        let link: LinkID = self == .bytesOnCurrent ? .first : self == .bytesOnCandidate ? .second : .stranger
        stage.block(.seconds(1))
        stage.heard(link)
        return ""
    }

    private func feedMessage(_ stage: inout Stage) -> String {
        let link = stage.machine.candidate?.pending.isEmpty == false ? LinkID.second : .first
        switch self {
        case .pong:
            stage.machine.pongReceived(on: .first, now: stage.now)
            return ""
        case .replyAccepted: return words(stage.accept(link))
        case .replyRefused: return words(stage.refuse(link))
        case .replyToNobody: return words(stage.reply(CommandReply(correlationID: "nobody", status: 400), on: link))
        case .closingNoticeOnCurrent:
            return words(stage.take(stage.machine.socketClosingReceived(on: .first, now: stage.now)))
        case .closingNoticeOnCandidate:
            return words(stage.take(stage.machine.socketClosingReceived(on: .second, now: stage.now)))
        case .timerEarly: return words(stage.fireTimers())
        case .timerDue:
            let deadline = stage.machine.nextDeadline ?? stage.now.instant + .seconds(3600)
            stage.block(max(.zero, deadline - stage.now.instant))
            return words(stage.fireTimers())
        default: return feedSystemMessage(&stage)
        }
    }

    private func feedSystemMessage(_ stage: inout Stage) -> String {
        let topic: SystemTopic =
            switch self {
            case .noLongerSubscribed: .noLongerSubscribed
            case .duplicateID: .duplicateID
            case .subscriptionChanged: .subscriptionChanged
            case .tokenRevoked: .tokenRevoked
            default: .unknown
            }
        let link = stage.machine.current?.id ?? stage.machine.candidate?.id ?? .first
        return words(stage.take(stage.machine.systemMessageReceived(topic, on: link, message: nil, now: stage.now)))
    }
}
