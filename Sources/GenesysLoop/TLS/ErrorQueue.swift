internal import COpenSSL

/// OpenSSL's error queue.
///
/// It belongs to the thread, not to a connection: an entry left by anybody else makes `SSL_get_error` turn "want
/// more" into a failure. So `clear()` goes immediately before every `SSL_*` call but the reading one, where it would take
/// too long, and `drain()` after every failure.
@safe struct ErrorQueue {
    /// One entry.
    struct Entry: Hashable {
        var code: UInt
        var library: Int
        var reason: Int
        var text: String
    }

    /// The entries, oldest first.
    let entries: [Entry]

    /// The entry that says what happened: the first of the TLS layer, else the first.
    var essential: Entry? {
        entries.first { $0.library == Int(ERR_LIB_SSL) } ?? entries.first
    }

    /// The last entry of the TLS layer, else the last: what a call said that began with entries of others.
    var latest: ErrorQueue {
        let latest = entries.last { $0.library == Int(ERR_LIB_SSL) } ?? entries.last
        return ErrorQueue(entries: latest.map { [$0] } ?? [])
    }

    /// All texts, oldest first.
    var text: String {
        entries.isEmpty ? "no reason given" : entries.map(\.text).joined(separator: "; ")
    }

    static func clear() {
        ERR_clear_error()
    }

    /// Takes every entry out of this thread's queue.
    static func drain() -> ErrorQueue {
        var entries: [Entry] = []
        while true {
            let code = ERR_get_error()
            guard code != 0 else { break }
            entries.append(
                Entry(
                    code: UInt(code), library: Int(ERR_GET_LIB(code)), reason: Int(ERR_GET_REASON(code)),
                    text: text(of: code)))
        }
        return ErrorQueue(entries: entries)
    }

    private static func text(of code: UInt) -> String {
        // "error:0A00010B:SSL routines::wrong version number": the last field is for people. The buffer is ours.
        let whole = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            unsafe ERR_error_string_n(code, buffer.baseAddress, buffer.count)
            return unsafe String(cString: buffer.baseAddress!)
        }
        return whole.split(separator: ":").last.map(String.init) ?? whole
    }
}
