public import GenesysLoop

/// A question to the host: a token is needed.
///
/// Answer it once, now or later, on the loop's thread: `provide(_:lifetime:)` or `fail(_:advice:)`. A request that is
/// dropped without an answer counts as failed, and so does one without an answer after 30 s.
public final class TokenRequest {
    /// Why a token is needed.
    public let reason: TokenReason
    /// The loop on whose thread it is answered.
    public let loop: UVLoop
    private var answer: ((Result<RESTValue, RESTFailure>) -> Void)?
    private var deadline: LoopTimer?

    static let patience: Duration = .seconds(30)

    init(
        _ reason: TokenReason, on loop: UVLoop, _ answer: @escaping (Result<RESTValue, RESTFailure>) -> Void
    ) {
        self.reason = reason
        self.loop = loop
        self.answer = answer
        deadline = loop.schedule(after: TokenRequest.patience) { [weak self] in
            let failure = RESTFailure.noToken(
                "the host did not answer within \(TokenRequest.patience.secondsText) s", reason: .timeout)
            // Without the request, which was dropped on another thread, its answer is still expected.
            if let self { end(.failure(failure)) } else { answer(.failure(failure)) }
        }
    }

    deinit {
        // On another thread the deadline ends the request.
        if loop.isCurrent { end(.failure(.noToken("the host gave no token"))) }
    }

    /// Whether an answer is expected: not after an answer, after the deadline, or when no one needs the token anymore.
    public var isPending: Bool {
        loop.preconditionCurrent("TokenRequest.isPending")
        return answer != nil
    }

    /// Gives a token. Does nothing if no answer is expected.
    ///
    /// The token that is being replaced is refused.
    ///
    /// - Parameters:
    ///   - token: without `Bearer`.
    ///   - lifetime: the rest of its life; nil if unknown. With it the next token is asked for before this one ends.
    public func provide(_ token: String, lifetime: Duration? = nil) {
        loop.preconditionCurrent("TokenRequest.provide")
        guard !token.isEmpty, token.utf8.allSatisfy(isVisible) else {
            return end(
                .failure(.noToken("the token is empty, or holds white space or other characters")))
        }
        if let lifetime, lifetime <= .zero {
            return end(.failure(.noToken("the token has ended already")))
        }
        end(.success(.token(SecretBytes(token), lifetime: lifetime)))
    }

    /// Gives no token. Does nothing if no answer is expected.
    ///
    /// - Parameters:
    ///   - clause: what happened, as a clause that follows a colon, without secrets.
    ///   - advice: what to do about it, without a period.
    public func fail(_ clause: String, advice: String? = nil) {
        loop.preconditionCurrent("TokenRequest.fail")
        end(.failure(.noToken(clause, advice: advice ?? "Give a new token")))
    }

    /// No answer is expected anymore.
    func cancel() {
        answer = nil
        deadline?.cancel()
        deadline = nil
    }

    private func end(_ result: Result<RESTValue, RESTFailure>) {
        guard let answer else { return }
        cancel()
        answer(result)
    }
}
