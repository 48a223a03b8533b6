/// States of the end.
extension TableTests {
    static let closing = """
        openRequested: =
        closeRequested: =
        rolloverRequested: =
        pauseRequested: -
        resumeRequested: =
        resumeAfterPause: -
        topicsChanged: -
        candidateOpened: =
        currentOpened: =
        strangerOpened: =
        bytesOnCurrent: -
        bytesOnCandidate: =
        bytesOnStranger: =
        currentEndedClean: closed > ended
        currentEndedUnclean: closed > ended
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
        timerDue: drop 1, closed > ended
        """

    static let ended = """
        openRequested: =
        closeRequested: =
        rolloverRequested: =
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
}
