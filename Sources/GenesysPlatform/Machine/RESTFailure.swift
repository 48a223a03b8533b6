package import GenesysLoop

/// Why a call obtained nothing.
package struct RESTFailure: Error, Hashable, Sendable {
    /// What decides about the next step; `failure` is for people.
    package enum Cause: Hashable, Sendable {
        /// No answer: name, connection, TLS, proxy, deadline.
        case transport
        /// The token (401), or the OAuth client, is refused.
        case unauthorized
        /// 403.
        case forbidden
        /// 404 for a channel.
        case gone
        /// Too many requests: 429, or the token endpoint's 400.
        case throttled
        /// 408, 502, 503, 504: it passes.
        case unavailable
        /// 500 and the rest of 5xx: it may not pass.
        case serverError
        /// 3xx, 4xx: the request is wrong, or the server is another one.
        case refused
        /// 2xx with a body that cannot be used.
        case unusable
        /// The host's callback gave no token that can be used.
        case noToken
    }

    package var cause: Cause
    /// For the delegate. Who reports it decides its kind.
    package var failure: ChannelFailure
    /// Whether the service may have done what was asked for.
    package var mayHaveActed: Bool

    package init(_ cause: Cause, _ failure: ChannelFailure, mayHaveActed: Bool = false) {
        self.cause = cause
        self.failure = failure
        self.mayHaveActed = mayHaveActed
    }

    package var retryAfter: Duration? { failure.retryAfter }

    /// Whether another attempt may succeed without a change by anyone.
    package var isPassing: Bool {
        switch cause {
        case .throttled, .unavailable, .serverError, .unusable: true
        case .transport: failure.isRetryable
        case .unauthorized, .forbidden, .gone, .refused, .noToken: false
        }
    }

    /// How long the service wants no further call.
    package var floor: Duration {
        retryAfter ?? (cause == .throttled ? RetrySchedule.throttledDelay : .zero)
    }
}

/// Reads what an answer means: first its status, then its body.
extension RESTCall {
    /// The most bytes of a body that a failure repeats.
    static let excerptByteCount = 200

    /// What an answer means for this call.
    ///
    /// - Parameter secrets: what the texts of the service must not repeat in a failure.
    package func outcome(of answer: RESTAnswer, hiding secrets: [SecretBytes]) -> Result<RESTValue, RESTFailure> {
        guard (200...299).contains(answer.status) else {
            return .failure(RESTRefusal(self, answer, secrets).failure)
        }
        do throws(UnusableBody) {
            return .success(try value(of: answer).hiding(secrets))
        } catch {
            return .failure(unusable(error, answer, secrets))
        }
    }

    private func unusable(_ body: UnusableBody, _ answer: RESTAnswer, _ secrets: [SecretBytes]) -> RESTFailure {
        var failure = ChannelFailure(
            reason: .invalidMessage, phase: phase,
            clause: "\(article) (HTTP status \(answer.status)), but \(body.clause)",
            advice: body == .page ? "Check whether a gateway or a proxy answers in the service's place" : nil,
            status: answer.status, isRetryable: false)
        // What is not a page may be a part of what was asked for, which is a secret.
        if body == .page { failure.message = RESTRefusal.excerpt(answer.body, hiding: secrets) }
        failure.correlationID = answer.correlationID.flatMap { RESTRefusal.excerpt($0, hiding: secrets) }
        return RESTFailure(.unusable, failure, mayHaveActed: isCreation)
    }

    package var phase: ChannelFailure.Phase { side == .login ? .token : .provision }

    private var article: String {
        side == .login ? "the token endpoint accepted the request" : "the service accepted the request"
    }
}

extension RESTValue {
    /// The value without secrets in the texts that are for people.
    fileprivate func hiding(_ secrets: [SecretBytes]) -> RESTValue {
        // Longer than a reason with the longest topic.
        let shown = { (text: String) in
            RESTRefusal.excerpt(RESTRefusal.withoutTargets(text), hiding: secrets, limit: 1_024) ?? ""
        }
        switch self {
        case .topics(var verdicts):
            for index in verdicts.indices {
                verdicts[index].reason = verdicts[index].reason.map(shown)
                verdicts[index].missingPermissions = verdicts[index].missingPermissions.map(shown)
            }
            return .topics(verdicts)
        case .tokenDescription(var token):
            token.organization = token.organization.map(shown)
            token.client = token.client.map(shown)
            token.grant = token.grant.map(shown)
            return .tokenDescription(token)
        case .token, .channel, .channels, .catalog, .done:
            return self
        }
    }
}

/// An answer whose status is not 2xx.
private struct RESTRefusal {
    let call: RESTCall
    let answer: RESTAnswer
    /// What the body says, without secrets.
    let words: String?
    /// The token endpoint's `error`.
    let error: String
    let correlationID: String?

    init(_ call: RESTCall, _ answer: RESTAnswer, _ secrets: [SecretBytes]) {
        self.call = call
        self.answer = answer
        let body = try? JSONReader(answer.body)
        let members = call.side == .login ? ["error_description", "description", "error"] : ["message", "code"]
        let said = members.lazy.compactMap { body?[$0]?.text }.first { !$0.isEmpty }
        if let said {
            words = RESTRefusal.excerpt(RESTRefusal.withoutTargets(said), hiding: secrets)
        } else if (300...399).contains(answer.status) {
            // The text of a redirect repeats its target, whose query may be a secret.
            words = nil
        } else {
            words = RESTRefusal.excerpt(answer.body, hiding: secrets)
        }
        error = body?["error"]?.text ?? ""
        correlationID = answer.correlationID.flatMap { RESTRefusal.excerpt($0, hiding: secrets) }
    }

    var failure: RESTFailure {
        if call.side == .login, let failure = clientFailure { return failure }
        let status = answer.status
        switch status {
        case 300...399:
            var failure = make(
                .refused, .invalidStatusCode,
                "the server redirected the request to \(answer.location ?? "another place")",
                advice: "Check whether a gateway wants a log-in there: redirects of REST calls are not followed")
            failure.failure.location = answer.location
            return failure
        case 401:
            return make(
                .unauthorized, .httpUnauthorized, "the service refused the token",
                advice: "Check that the token is one of this region and has not ended")
        case 403:
            return make(
                .forbidden, .httpForbidden, "the service refused the request",
                advice:
                    "Check the roles of the OAuth client, their divisions, and the addresses that it is restricted to")
        case 404 where call.channel != nil:
            return make(
                .gone, .httpNotFound, "the channel is gone",
                advice: "Check whether other programs use the same OAuth client: each channel beyond 20 removes another"
            )
        case 429:
            return make(.throttled, .httpTooManyRequests, "the service received too many requests", advice: passing)
        case 408, 502, 503, 504:
            return make(.unavailable, .invalidStatusCode, "the service is not available", advice: passing)
        case 500...599:
            return make(
                .serverError, .invalidStatusCode, "the service failed",
                advice: "Try again later; if it stays, tell support")
        case 400...499 where call.isAboutTopics:
            return make(.refused, .subscriptionRefused, "the service refused the topics", advice: "Check the topics")
        default:
            return make(
                .refused, .invalidStatusCode, "the server refused the request",
                advice: "Check the region, or the base URL")
        }
    }

    /// The errors of the token endpoint, which have a shape of their own (platform sheet §1.3).
    private var clientFailure: RESTFailure? {
        let said = ASCII.lowercased(words ?? "")
        if said.contains("rate limit exceeded") {
            return make(
                .throttled, .httpTooManyRequests, "the token endpoint received too many requests",
                advice: "Try again later, and keep the token across starts")
        }
        guard [400, 401, 403].contains(answer.status) else { return nil }
        if said.contains("client not found") {
            return make(
                .unauthorized, .httpUnauthorized, "no OAuth client of this region has this id",
                advice: "Check the client's id, and that the region is the one of the organization")
        }
        if said.contains("authentication failed") {
            return make(
                .unauthorized, .httpUnauthorized, "the secret of the OAuth client is refused",
                advice: "Check the client's secret")
        }
        if answer.status == 400, !RESTRefusal.clientErrors.contains(error) { return nil }
        return make(
            .unauthorized, answer.status == 403 ? .httpForbidden : .httpUnauthorized, "the OAuth client is refused",
            advice:
                "Check in Admin that the client is active, that its grant is Client Credentials, and that it may be "
                + "used from this machine's address")
    }

    /// RFC 6749 §5.2.
    private static let clientErrors: Set<String> = [
        "invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_grant", "access_denied",
    ]

    private var passing: String { "Try again later: it may pass by itself" }

    private func make(
        _ cause: RESTFailure.Cause, _ reason: FailureReason, _ clause: String, advice: String
    ) -> RESTFailure {
        let passes: Bool =
            switch cause {
            case .throttled, .unavailable, .serverError: true
            case .transport, .unauthorized, .forbidden, .gone, .refused, .unusable, .noToken: false
            }
        var failure = ChannelFailure(
            reason: reason, phase: call.phase, clause: "\(clause) (HTTP status \(answer.status))", advice: advice,
            status: answer.status, isRetryable: passes)
        failure.message = words
        failure.retryAfter = answer.retryAfter
        failure.correlationID = correlationID
        // A gateway that got no answer does not know whether the service acted.
        let mayHaveActed = call.isCreation && [408, 500, 502, 504].contains(answer.status)
        return RESTFailure(cause, failure, mayHaveActed: mayHaveActed)
    }

    /// What a page or a line of text says. What begins like JSON is left out: it may be a part of what was asked for,
    /// which is a secret.
    static func excerpt(_ body: SecretBytes, hiding secrets: [SecretBytes]) -> String? {
        let text = body.text
        switch text.utf8.first(where: { $0 > 0x20 }) {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""): return nil
        case UInt8(ascii: "<"): return excerpt(withoutTargets(PeerText.text(ofHTML: text)), hiding: secrets)
        default: return excerpt(withoutTargets(text), hiding: secrets)
        }
    }

    /// The text with the scheme and the host alone of each URL: a path may be the name of a channel.
    static func withoutTargets(_ text: String) -> String {
        var kept: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let start = rest.firstRange(of: "://".utf8)?.upperBound {
            kept += rest[..<start]
            let url = rest[start...].prefix { $0 > 0x20 && !"<>\"'()".utf8.contains($0) }
            let authority = url.prefix { !"/?#".utf8.contains($0) }
            // Without a user and a password.
            kept += authority.lastIndex(of: UInt8(ascii: "@")).map { authority[($0 + 1)...] } ?? authority
            if authority.endIndex < url.endIndex { kept += "/…".utf8 }
            rest = rest[url.endIndex...]
        }
        return String(decoding: kept + rest, as: UTF8.self)
    }

    static func excerpt(
        _ text: String, hiding secrets: [SecretBytes], limit: Int = RESTCall.excerptByteCount
    ) -> String? {
        PeerText.excerpt(SecretFilter(secrets.map(\.bytes)).filtered(text), limit: limit)
    }
}

extension RESTCall {
    fileprivate var isAboutTopics: Bool {
        switch self {
        case .addTopics, .setTopics: true
        case .mintToken, .createChannel, .listChannels, .checkChannel, .topics, .removeTopics, .describeToken,
            .catalog:
            false
        }
    }
}
