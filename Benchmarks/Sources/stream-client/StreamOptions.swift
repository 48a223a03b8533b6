/// The options of the command line.
struct StreamOptions {
    static let usage = """
        usage: stream-client URI --ca FILE [--websocket] [--parse] [--echo] [--idle K [--at-once]]

        Subscribes once, counts messages until the server closes, and prints {"messages":N,"bytes":B}.

          --ca FILE      certificates to trust, in PEM
          --websocket    a bare WebSocket whose text messages are counted, instead of a channel with its notifications
          --parse        decodes one field of each notification's body
          --echo         sends each text message after the first back (implies --websocket)
          --idle K       opens K connections, subscribes on each, prints READY and holds them until SIGTERM
          --at-once      and leaves it to the library how many of them connect at a time; otherwise up to 64 do

        Exit status: 0 closed by the server, 64 wrong usage, 69 no connection or lost.
        """

    private(set) var uri = ""
    private(set) var caFile = ""
    private(set) var isWebSocket = false
    private(set) var isParsing = false
    private(set) var isEchoing = false
    private(set) var idleCount: Int?
    private(set) var isAtOnce = false

    /// Wrong usage, described in a sentence.
    struct Mistake: Error {
        let text: String
    }

    init(_ arguments: some Sequence<String>) throws(Mistake) {
        var rest = arguments.makeIterator()
        while let argument = rest.next() {
            switch argument {
            case "--ca": caFile = try StreamOptions.value(of: argument, rest.next())
            case "--websocket": isWebSocket = true
            case "--parse": isParsing = true
            case "--at-once": isAtOnce = true
            case "--echo":
                isEchoing = true
                isWebSocket = true
            case "--idle":
                let text = try StreamOptions.value(of: argument, rest.next())
                guard let count = Int(text), count > 0 else {
                    throw Mistake(text: "--idle wants a number of connections, not \(text).")
                }
                idleCount = count
            case _ where argument.hasPrefix("-") || !uri.isEmpty:
                throw Mistake(text: "The argument \(argument) is not understood.")
            default: uri = argument
            }
        }
        if uri.isEmpty { throw Mistake(text: "The URI is missing.") }
        if caFile.isEmpty, uri.hasPrefix("wss:") { throw Mistake(text: "--ca FILE is missing.") }
        if isParsing, isWebSocket { throw Mistake(text: "--parse is for a channel: leave --websocket and --echo out.") }
    }

    private static func value(of option: String, _ next: String?) throws(Mistake) -> String {
        guard let next else { throw Mistake(text: "\(option) wants a value.") }
        return next
    }
}
