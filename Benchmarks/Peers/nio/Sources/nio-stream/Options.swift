/// The command line: `nio-stream URI --ca FILE [--parse] [--echo] [--idle K]`.
struct Options {
    var host = ""
    var port = 443
    var path = "/"
    var ca = ""
    var parse = false
    var echo = false
    var idle = 0

    init(_ arguments: [String]) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--parse": parse = true
            case "--echo": echo = true
            case "--ca": ca = rest.popFirst() ?? ""
            case "--idle": idle = Int(rest.popFirst() ?? "") ?? 0
            default: read(argument)
            }
        }
    }

    private mutating func read(_ uri: String) {
        guard uri.hasPrefix("wss://") else { return }
        let parts = uri.dropFirst(6).split(separator: "/", maxSplits: 1)
        let authority = parts[0].split(separator: ":")
        host = String(authority[0])
        if authority.count > 1 { port = Int(authority[1]) ?? 443 }
        if parts.count > 1 { path = "/" + parts[1] }
    }
}
