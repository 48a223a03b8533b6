import GenesysLoop
import GenesysPlatform
import Logging
import ToolSupport

/// Gives the tokens of `--access-token-file` to the REST side.
///
/// The file is read again when the service refuses the token, regularly, and on SIGHUP, by another thread. A new token
/// in it moves the channel while the old one is good. All else runs on the loop's thread.
final class TokenSupply {
    /// What came of another look at the file.
    private enum Finding: Sendable {
        case token(String, isExposed: Bool)
        /// A clause.
        case unusable(String)
    }

    /// Set before the channel opens.
    weak var platform: Platform?
    private let loop: UVLoop
    private let log: EventLog
    private let token: AccessToken
    /// The token that was given last.
    private var given: String?
    /// The other token that was announced last.
    private var announced: String?
    /// Whether other users could read the file when it was read last.
    private var wasExposed: Bool
    private var timer: LoopTimer?

    private static let interval: Duration = .seconds(10)
    private static let maxByteCount = 65_536

    init(_ token: AccessToken, on loop: UVLoop, log: EventLog) {
        self.token = token
        self.loop = loop
        self.log = log
        wasExposed = token.isExposed
    }

    /// Whether the token can be read again.
    var canRead: Bool { token.path != nil }

    /// Answers a question of the platform.
    func provide(_ request: TokenRequest) {
        guard given != nil else {
            give(token.text, to: request)
            return lookLater()
        }
        guard canRead else {
            return request.fail("the service refused the token, which cannot be read again: \(source)")
        }
        read(for: request) { supply, request, finding in
            switch finding {
            case .token(let text, _) where text == supply.given:
                request.fail("the service refused the token, and \(supply.source) still holds it")
            case .token(let text, _): supply.give(text, to: request)
            case .unusable(let clause): request.fail(clause)
            }
        }
    }

    /// SIGHUP came.
    func readAgain() { look(isAsked: true) }

    /// No more tokens are needed.
    func end() {
        timer?.cancel()
        timer = nil
        platform = nil
    }

    private func give(_ text: String, to request: TokenRequest) {
        given = text
        request.provide(text)
    }

    /// The name of the file or the variable, within a sentence.
    private var source: String { token.source.prefix(1).lowercased() + token.source.dropFirst() }

    // MARK: - The file

    private func lookLater() {
        guard canRead else { return }
        timer?.cancel()
        timer = loop.schedule(after: TokenSupply.interval) { [unowned self] in look(isAsked: false) }
    }

    /// Looks whether the file holds another token.
    private func look(isAsked: Bool) {
        read(for: isAsked) { supply, isAsked, finding in
            guard let platform = supply.platform else { return }
            supply.lookLater()
            switch finding {
            case .token(let text, _) where text == supply.given:
                if isAsked { supply.log.write(.log(.notice, "\(supply.token.source) holds the same token.")) }
            case .token(let text, _):
                // Until the platform takes it, which it may do only later, it is the same piece of news.
                if isAsked || supply.announced != text {
                    supply.log.write(
                        .log(.notice, "\(supply.token.source) holds another token, which is used from now on."))
                }
                supply.announced = text
                platform.renewToken()
            case .unusable(let clause):
                if isAsked { supply.log.write(.log(.warning, "The token stays as it was read before: \(clause).")) }
            }
        }
    }

    /// Reads the file on another thread, and calls `body` on the loop's.
    private func read<Context>(for context: Context, _ body: @escaping (TokenSupply, Context, Finding) -> Void) {
        guard let path = token.path else { return }
        let bound = LoopBound((self, context, body), on: loop)
        let source = source
        do throws(SystemCalls.Failure) {
            try DetachedThread.start {
                let finding = TokenSupply.read(path, source)
                bound.execute { supply, context, body in
                    supply.noteExposure(finding)
                    body(supply, context, finding)
                }
            }
        } catch {
            body(self, context, .unusable("\(source) cannot be read again: \(error.text)"))
        }
    }

    /// Warns when other users can read the file, as the start does.
    private func noteExposure(_ finding: Finding) {
        guard case .token(_, let isExposed) = finding else { return }
        if isExposed, !wasExposed {
            log.write(
                .log(.warning, "\(token.source) can be read by other users now: take that right away with chmod 600."))
        }
        wasExposed = isExposed
    }

    private static func read(_ path: String, _ source: String) -> Finding {
        // A pipe that has taken the place of the file could be waited for without end.
        if let kind = FileKind(path), kind != .regular { return .unusable("\(source) is no longer a regular file") }
        do throws(SystemCalls.Failure) {
            let (bytes, isExposed) = try SystemCalls.readSecret(path, maxByteCount: maxByteCount)
            guard let line = try? SecretLine.parse(bytes), let text = AccessToken.text(line) else {
                return .unusable("\(source) no longer holds a token on one line")
            }
            return .token(text, isExposed: isExposed)
        } catch {
            return .unusable("\(source) cannot be read again: \(error.text)")
        }
    }
}
