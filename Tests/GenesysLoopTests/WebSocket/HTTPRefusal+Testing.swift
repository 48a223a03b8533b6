@testable import GenesysLoop

extension HTTPRefusal {
    /// What a head like this, and a body behind it, amount to.
    static func of(_ status: Int, _ headers: [String] = [], reason: String = "", body: String = "") throws
        -> HTTPRefusal
    {
        var fields = HeaderFields()
        for line in headers { fields.append(forgivingly: Array(line.utf8)) }
        return HTTPRefusal(
            try StatusLine(Array("HTTP/1.1 \(status) \(reason)".utf8)), fields, body: Array(body.utf8))
    }

    /// As the failure of an upgrade.
    static func failure(
        _ status: Int, _ headers: [String] = [], reason: String = "", body: String = "",
        uri: String = "wss://h/channels/x",
        now: WallTime = WallTime(seconds: 0)
    ) throws -> ChannelFailure {
        try ChannelFailure(
            upgrade: .refused(of(status, headers, reason: reason, body: body)), of: WebSocketURI(uri), now: now)
    }
}
