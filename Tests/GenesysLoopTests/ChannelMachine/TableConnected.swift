/// With a confirmed link.
extension TableTests {
    static let live = """
        openRequested: =
        closeRequested: close 1 > closing
        rolloverRequested: connect 2 to 1 > rollingOver
        pauseRequested: pause 1
        resumeRequested: =
        resumeAfterPause: resume 1
        topicsChanged: subscribe 1, unsubscribe 1
        candidateOpened: =
        currentOpened: =
        strangerOpened: =
        bytesOnCurrent: -
        bytesOnCandidate: =
        bytesOnStranger: =
        currentEndedClean: willReconnect #1 connectionClosed > waiting
        currentEndedUnclean: willReconnect #1 connectionClosed > waiting
        candidateEndedClean: =
        candidateEndedUnclean: =
        strangerEndedClean: =
        strangerEndedUnclean: =
        notificationOnCurrent: deliver
        notificationOnCandidate: ignore
        notificationOnStranger: ignore
        heldReleased: deliver
        pong: =
        replyAccepted: -
        replyRefused: didReject
        replyToNobody: =
        closingNoticeOnCurrent: willExpire maintenance
        closingNoticeOnCandidate: =
        noLongerSubscribed: subscribe 1
        duplicateID: subscribe 1
        subscriptionChanged: subscribe 1
        tokenRevoked: retire 1, failed receive tokenRevoked > ended
        unknownTopic: =
        timerEarly: =
        timerDue: ping 1
        """

    static let rollingOver = """
        openRequested: =
        closeRequested: close 1, close 2 > closing
        rolloverRequested: retire 2, connect 3 to 1
        pauseRequested: pause 1, pause 2
        resumeRequested: =
        resumeAfterPause: resume 1, resume 2
        topicsChanged: subscribe 1
        candidateOpened: subscribe 2
        currentOpened: =
        strangerOpened: =
        bytesOnCurrent: -
        bytesOnCandidate: -
        bytesOnStranger: =
        currentEndedClean: - > handedOver
        currentEndedUnclean: willReconnect #1 channelClosing > attempting
        candidateEndedClean: didFailRollover connectionClosed > live
        candidateEndedUnclean: didFailRollover connectionClosed > live
        strangerEndedClean: =
        strangerEndedUnclean: =
        notificationOnCurrent: deliver
        notificationOnCandidate: hold
        notificationOnStranger: ignore
        heldReleased: deliver
        pong: =
        replyAccepted: pause 2, ping 1 > draining
        replyRefused: retire 2, didFailRollover subscriptionRefused > live
        replyToNobody: =
        closingNoticeOnCurrent: =
        closingNoticeOnCandidate: -
        noLongerSubscribed: -
        duplicateID: -
        subscriptionChanged: -
        tokenRevoked: retire 1, retire 2, failed receive tokenRevoked > ended
        unknownTopic: =
        timerEarly: =
        timerDue: subscribe 2
        """

    static let handedOver = """
        openRequested: =
        closeRequested: close 2 > closing
        rolloverRequested: -
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
        candidateEndedClean: willReconnect #1 connectionClosed > waiting
        candidateEndedUnclean: willReconnect #1 connectionClosed > waiting
        strangerEndedClean: =
        strangerEndedUnclean: =
        notificationOnCurrent: ignore
        notificationOnCandidate: deliver
        notificationOnStranger: ignore
        heldReleased: deliver
        pong: =
        replyAccepted: didRecover rollover, resume 2 > live
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

    static let draining = """
        openRequested: =
        closeRequested: close 1, close 2, resume 2 > closing
        rolloverRequested: -
        pauseRequested: pause 1, pause 2
        resumeRequested: =
        resumeAfterPause: resume 1
        topicsChanged: subscribe 2, unsubscribe 2
        candidateOpened: =
        currentOpened: =
        strangerOpened: =
        bytesOnCurrent: -
        bytesOnCandidate: -
        bytesOnStranger: =
        currentEndedClean: didRecover rollover, resume 2 > live
        currentEndedUnclean: didMiss, didRecover rollover, resume 2 > live
        candidateEndedClean: didFailRollover connectionClosed, subscribe 1 > live
        candidateEndedUnclean: didFailRollover connectionClosed, subscribe 1 > live
        strangerEndedClean: =
        strangerEndedUnclean: =
        notificationOnCurrent: deliver
        notificationOnCandidate: hold
        notificationOnStranger: ignore
        heldReleased: deliver
        pong: -
        replyAccepted: -
        replyRefused: didReject
        replyToNobody: =
        closingNoticeOnCurrent: =
        closingNoticeOnCandidate: -
        noLongerSubscribed: -
        duplicateID: -
        subscriptionChanged: -
        tokenRevoked: retire 1, retire 2, failed receive tokenRevoked > ended
        unknownTopic: =
        timerEarly: =
        timerDue: didMiss, retire 1, didRecover rollover, resume 2 > live
        """
}
