import Foundation

/// A pseudo-terminal of 100 columns.
final class Terminal: Sendable {
    /// The side of a program.
    let side: FileHandle
    private let master: Int32

    init() throws {
        var (master, side) = (Int32(-1), Int32(-1))
        var size = winsize(ws_row: 24, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0)
        // The variables are valid during the call; the name is not asked for.
        guard unsafe openpty(&master, &side, nil, nil, &size) == 0 else { throw POSIXError(.ENODEV) }
        // A program that inherits either would keep the terminal open.
        for descriptor in [master, side] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        self.master = master
        self.side = FileHandle(fileDescriptor: side, closeOnDealloc: true)
    }

    /// What programs write, up to the end of the last one; the test gives up its own side.
    func screen() throws -> FileHandle {
        try side.close()
        let pipe = Pipe()
        let master = self.master
        Thread.detachNewThread {
            var bytes = [UInt8](repeating: 0, count: 4_096)
            while true {
                // The array is valid during the call, which writes no further than its end.
                let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(master, $0.baseAddress, $0.count) }
                // Linux reports the end of the last program as EIO.
                guard count > 0 else { break }
                try? pipe.fileHandleForWriting.write(contentsOf: Data(bytes[..<count]))
            }
            try? pipe.fileHandleForWriting.close()
            close(master)
        }
        return pipe.fileHandleForReading
    }

    /// The lines that a terminal shows after it got `text`.
    ///
    /// It knows CR, LF, the sequence that erases the rest of a line, and colors, which it ignores.
    static func lines(_ text: String) -> [String] {
        var lines = [[Unicode.Scalar]()]
        var column = 0
        var rest = Array(text.unicodeScalars)[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\r": column = 0
            case "\n":
                lines.append([])
                column = 0
            case "\u{1B}":
                let end = rest.firstIndex { $0.properties.isAlphabetic } ?? rest.endIndex
                if end < rest.endIndex, rest[end] == "K" {
                    lines[lines.count - 1].removeLast(max(0, lines[lines.count - 1].count - column))
                }
                rest = rest[min(end + 1, rest.endIndex)...]
            default:
                if column < lines[lines.count - 1].count { lines[lines.count - 1].remove(at: column) }
                lines[lines.count - 1].insert(scalar, at: column)
                column += 1
            }
        }
        return lines.map { line in String(String.UnicodeScalarView(line)) }
    }
}
