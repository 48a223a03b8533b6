@testable import GenesysLoop

extension HTTPRefusal {
    /// The result of such a head and the body behind it.
    static func of(_ status: Int, _ headers: [String] = [], reason: String = "", body: String = "") throws
        -> HTTPRefusal
    {
        var fields = HeaderFields()
        for line in headers { fields.append(forgivingly: Array(line.utf8)) }
        return HTTPRefusal(
            try StatusLine(Array("HTTP/1.1 \(status) \(reason)".utf8)), fields, body: Array(body.utf8))
    }

    /// The failure of an upgrade with it.
    static func failure(
        _ status: Int, _ headers: [String] = [], reason: String = "", body: String = "",
        uri: String = "wss://h/channels/x",
        now: WallTime = WallTime(seconds: 0)
    ) throws -> ChannelFailure {
        try ChannelFailure(
            .refused(
                RefusedUpgrade(
                    answer: of(status, headers, reason: reason, body: body), uri: WebSocketURI(uri), time: now)))
    }
}
