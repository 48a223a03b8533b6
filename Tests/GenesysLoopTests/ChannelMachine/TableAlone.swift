/// Without a confirmed link.
extension TableTests {
    static let idle = """
        openRequested: connect 1 to 0 > attempting
        closeRequested: closed > ended
        rolloverRequested: -
        pauseRequested: -
        resumeRequested: =
        resumeAfterPause: -
        topicsChanged: -
        candidateOpened: =
        currentOpened: =
        strangerOpened: =
        bytesOnCurrent: =
        bytesOnCandidate: =
        bytesOnStranger: =
        currentEndedClean: =
        currentEndedUnclean: =
        candidateEndedClean: =
        candidateEndedUnclean: =
        strangerEndedClean: =
        strangerEndedUnclean: =
        notificationOnCurrent: ignore
        notificationOnCandidate: ignore
        notificationOnStranger: ignore
        heldReleased: ignore
        pong: =
        replyAccepted: =
        replyRefused: =
        replyToNobody: =
        closingNoticeOnCurrent: =
        closingNoticeOnCandidate: =
        noLongerSubscribed: =
        duplicateID: =
        subscriptionChanged: =
        tokenRevoked: =
        unknownTopic: =
        timerEarly: =
        timerDue: =
        """

    static let waiting = """
        openRequested: =
        closeRequested: closed > ended
        rolloverRequested: connect 2 to 1 > attempting
        pauseRequested: -
        resumeRequested: =
        resumeAfterPause: -
        topicsChanged: -
        candidateOpened: =
        currentOpened: =
        strangerOpened: =
        bytesOnCurrent: =
        bytesOnCandidate: =
        bytesOnStranger: =
        currentEndedClean: =
        currentEndedUnclean: =
        candidateEndedClean: =
        candidateEndedUnclean: =
        strangerEndedClean: =
        strangerEndedUnclean: =
        notificationOnCurrent: ignore
        notificationOnCandidate: ignore
        notificationOnStranger: ignore
        heldReleased: deliver
        pong: =
        replyAccepted: =
        replyRefused: =
        replyToNobody: =
        closingNoticeOnCurrent: =
        closingNoticeOnCandidate: =
        noLongerSubscribed: =
        duplicateID: =
        subscriptionChanged: =
        tokenRevoked: =
        unknownTopic: =
        timerEarly: =
        timerDue: connect 2 to 0 > attempting
        """

    static let attempting = """
        openRequested: =
        closeRequested: close 2 > closing
        rolloverRequested: retire 2, connect 3 to 1
        pauseRequested: pause 2
        resumeRequested: =
        resumeAfterPause: resume 2
        topicsChanged: -
        candidateOpened: subscribe 2
        currentOpened: =
        strangerOpened: =
        bytesOnCurrent: =
        bytesOnCandidate: -
        bytesOnStranger: =
        currentEndedClean: =
        currentEndedUnclean: =
        candidateEndedClean: willReconnect #2 connectionClosed > waiting
        candidateEndedUnclean: willReconnect #2 connectionClosed > waiting
        strangerEndedClean: =
        strangerEndedUnclean: =
        notificationOnCurrent: ignore
        notificationOnCandidate: deliver
        notificationOnStranger: ignore
        heldReleased: deliver
        pong: =
        replyAccepted: didMiss, didRecover reconnect > live
        replyRefused: retire 2, failed recovery.reconnect subscriptionRefused > ended
        replyToNobody: =
        closingNoticeOnCurrent: =
        closingNoticeOnCandidate: -
        noLongerSubscribed: -
        duplicateID: -
        subscriptionChanged: =
        tokenRevoked: retire 2, failed recovery.reconnect tokenRevoked > ended
        unknownTopic: =
        timerEarly: =
        timerDue: subscribe 2
        """
}
