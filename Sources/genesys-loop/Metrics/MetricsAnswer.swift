import GenesysLoop
import GenesysMetrics
import ServerKit

/// An answer of `MetricsServer`.
struct MetricsAnswer {
    /// Why the connection ends with an answer.
    enum Ending {
        /// The client asked for it: it sends nothing else.
        case requested
        /// The client may be sending more, such as a body, which is not read as a request.
        case imposed
    }

    let status: Int
    /// Why the connection ends with this answer; nil if it does not.
    let ending: Ending?
    private let type: String
    private let body: [UInt8]
    private let omitsBody: Bool

    /// Answers a request.
    init(to head: UpgradeRequestHead, _ content: MetricsContent) {
        omitsBody = head.method == "HEAD"
        do throws(UpgradeRequestError) {
            // RFC 9112 §3.2.
            guard head.isHTTP10 || head.fields.values(of: "host").count == 1 else {
                throw UpgradeRequestError(status: 400, "The request needs exactly one Host header.")
            }
            let hasBody = try RequestFraming(of: head) != .length(0)
            (status, type, body) = try Self.page(for: head, hasBody: hasBody, content)
            let isRequested = head.isHTTP10 || head.fields.list("connection", contains: "close")
            ending = hasBody ? .imposed : isRequested ? .requested : nil
        } catch {
            status = error.status
            type = Self.plainText
            body = Self.line(error.description)
            ending = .imposed
        }
    }

    /// Refuses a connection, or a request whose head cannot be read.
    init(refusing error: UpgradeRequestError) {
        status = error.status
        type = Self.plainText
        body = Self.line(error.description)
        ending = .imposed
        omitsBody = false
    }

    /// The whole response.
    var bytes: [UInt8] {
        let headers = [("Content-Type", type)] + (status == 405 ? [("Allow", "GET, HEAD")] : [])
        // It throws for control characters in a header, and these are constants.
        return
            (try? UpgradeResponse.refuse(
                status: status, headers: headers, body: body, omitsBody: omitsBody, isLast: ending != nil)) ?? []
    }
}

extension MetricsAnswer {
    private typealias Page = (status: Int, type: String, body: [UInt8])

    private static let plainText = "text/plain; charset=utf-8"

    private static func page(
        for head: UpgradeRequestHead, hasBody: Bool, _ content: MetricsContent
    ) throws(UpgradeRequestError) -> Page {
        let path = head.target.prefix { $0 != "?" }
        guard ["/metrics", "/healthz", "/readyz"].contains(path) else {
            return (404, plainText, line("There are /metrics, /healthz and /readyz."))
        }
        guard head.method == "GET" || head.method == "HEAD" else {
            return (405, plainText, line("The method is neither GET nor HEAD."))
        }
        guard !hasBody else { throw UpgradeRequestError(status: 413, "The request has a body, which has no meaning.") }
        switch path {
        case "/metrics":
            return (200, PrometheusText.contentType, content.metrics())
        case "/readyz":
            guard let obstacle = content.obstacle() else { return (200, plainText, line("ready")) }
            return (503, plainText, line(obstacle))
        default:
            // The loop turns, or it would not answer.
            return (200, plainText, line("ok"))
        }
    }

    private static func line(_ text: String) -> [UInt8] { Array("\(text)\n".utf8) }
}
