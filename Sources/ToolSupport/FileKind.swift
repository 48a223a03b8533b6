#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What a path leads to.
@safe package enum FileKind {
    case regular
    case pipe
    case other

    /// The kind of a file, through links; nil if there is none.
    package init?(_ path: String) {
        var status = stat()
        // Path and variable are valid during the call.
        guard unsafe stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    init(_ status: stat) {
        switch status.st_mode & S_IFMT {
        case S_IFREG: self = .regular
        case S_IFIFO: self = .pipe
        default: self = .other
        }
    }
}
