/// Messages and pings to the peer.
///
/// A completion is called exactly once for what was taken, and never for what was not: `.success` when the operating
/// system has taken the last byte of it, which says nothing about the peer; `.failure` when the connection ended before.
/// Completions come in the order of the sends, from the loop, never from within a call, and all before the client's
/// terminal call, also after `close()`. Every public call is legal inside them. What they capture is kept until then.
extension WebSocketClient {
    /// Is told what became of what was sent.
    public typealias SendCompletion = (Result<Void, WebSocketFailure>) -> Void

    /// Sends a text message.
    ///
    /// - Parameters:
    ///   - text: the message.
    ///   - completion: called once if the message was taken; see the extension's notes. Default: none.
    /// - Returns: `.wouldBlock` if the message was not taken because too much is queued.
    /// - Throws: `WebSocketUsageError.notOpen`.
    public func send(text: String, completion: SendCompletion? = nil) throws -> SendResult {
        loop.preconditionCurrent("WebSocketClient.send")
        return try send(.text, Array(text.utf8).span, completion)
    }

    /// Sends a text message that is UTF-8 already; what was delivered can be sent back as it is.
    ///
    /// - Parameters:
    ///   - text: the message.
    ///   - completion: called once if the message was taken; see the extension's notes. Default: none.
    /// - Returns: `.wouldBlock` if the message was not taken because too much is queued.
    /// - Throws: `WebSocketUsageError.notOpen`, `.invalidUTF8`.
    public func send(text: Span<UInt8>, completion: SendCompletion? = nil) throws -> SendResult {
        loop.preconditionCurrent("WebSocketClient.send")
        guard UTF8Validator.isValid(text, 0..<text.count) else { throw WebSocketUsageError.invalidUTF8 }
        return try send(.text, text, completion)
    }

    /// Sends a binary message.
    ///
    /// - Parameters:
    ///   - binary: the message.
    ///   - completion: called once if the message was taken; see the extension's notes. Default: none.
    /// - Returns: `.wouldBlock` if the message was not taken because too much is queued.
    /// - Throws: `WebSocketUsageError.notOpen`.
    public func send(binary: Span<UInt8>, completion: SendCompletion? = nil) throws -> SendResult {
        loop.preconditionCurrent("WebSocketClient.send")
        return try send(.binary, binary, completion)
    }

    /// Sends a binary message.
    ///
    /// - Parameters:
    ///   - binary: the message.
    ///   - completion: called once if the message was taken; see the extension's notes. Default: none.
    /// - Returns: `.wouldBlock` if the message was not taken because too much is queued.
    /// - Throws: `WebSocketUsageError.notOpen`.
    public func send(binary: [UInt8], completion: SendCompletion? = nil) throws -> SendResult {
        try send(binary: binary.span, completion: completion)
    }

    /// Sends a ping; `webSocket(_:didReceivePong:)` comes when the peer answers (RFC 6455 §5.5.2).
    ///
    /// - Parameter payload: comes back in the pong; at most 125 bytes.
    /// - Returns: `.wouldBlock` if it was not taken because too much is queued.
    /// - Throws: `WebSocketUsageError.notOpen`, `.pingTooLong`.
    @discardableResult
    public func ping(_ payload: [UInt8] = []) throws -> SendResult {
        loop.preconditionCurrent("WebSocketClient.ping")
        guard payload.count <= WebSocketClient.maxPingByteCount else { throw WebSocketUsageError.pingTooLong }
        return try send(.ping, payload.span, nil)
    }

    private func send(
        _ opcode: Opcode, _ payload: Span<UInt8>, _ completion: SendCompletion?
    ) throws(WebSocketUsageError) -> SendResult {
        switch machine.sendRequested(queuedByteCount: driver.link?.queuedByteCount ?? 0) {
        case .send:
            // It is only queued here; the pass that follows sends it.
            driver.link?.send(opcode, payload)
            if let completion {
                driver.link?.sends.append { failure in
                    completion(failure.map { .failure(WebSocketFailure($0)) } ?? .success(()))
                }
            }
            schedulePass()
            return .sent
        case .wouldBlock:
            return .wouldBlock
        case .notOpen:
            throw .notOpen
        }
    }
}
