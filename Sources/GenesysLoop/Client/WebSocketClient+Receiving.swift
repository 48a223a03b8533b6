/// The way of a message from the link to the delegate.
extension WebSocketClient: LinkOwner {
    private enum Progress {
        case needMore
        case reload
    }

    package func linkDidOpen(_ link: Link) {
        driver.subprotocol = link.subprotocol
        driver.isCompressed = link.isCompressed
        enqueue(machine.linkOpened())
        performPending()
        adjustReading(of: link)
        // The timer is set when this read is over.
        schedulePass()
    }

    package func linkDidChangeDeadline(_ link: Link) {
        // An advance under way sets the timer at its end.
        if !driver.isAdvancing { setTimer() }
    }

    package func link(_ link: Link, didEnd end: LinkEnd) {
        driver.failure = end.failure
        if let code = end.closeCode {
            enqueue(machine.linkEnded(.closed(CloseCode(rawValue: code), reason: end.closeReason)))
        } else {
            enqueue(machine.linkEnded(.failed))
        }
        advance()
    }

    package func linkDidFinish(_ link: Link) {
        driver.link = nil
        advance()
    }

    package func linkDidReceive(_ link: Link) {
        while link === driver.link, !link.isPaused {
            guard machine.isDelivering else {
                link.discardInput()
                break
            }
            guard drain(link) == .reload else { break }
            performPending()
            adjustReading(of: link)
        }
        advance()
    }

    /// Delivers until there is nothing more, or until a callout changed the world.
    private func drain(_ link: Link) -> Progress {
        let generation = self.generation
        let delegate = weakDelegate
        while true {
            switch link.nextEvent() {
            case .needMore:
                return .needMore
            case .message(let kind, let range):
                deliver(link.payload(range), kind, to: delegate)
            case .assembledMessage(let kind):
                let message = link.takeMessage()
                deliver(message.span, kind, to: delegate)
                link.recycle(message)
            case .pong:
                guard let delegate else { return abandoned() }
                delegate.webSocket(self, didReceivePong: link.pongPayload.span)
            }
            if generation != self.generation { return .reload }
        }
    }

    private func deliver(_ message: Span<UInt8>, _ kind: MessageKind, to delegate: (any WebSocketClientDelegate)?) {
        guard let delegate else { return closeNow(.normal, reason: "") }
        switch kind {
        case .text: delegate.webSocket(self, didReceiveText: message)
        case .binary: delegate.webSocket(self, didReceiveBinary: message)
        }
    }

    /// Nobody is left to be told.
    private func abandoned() -> Progress {
        closeNow(.normal, reason: "")
        return .reload
    }
}
