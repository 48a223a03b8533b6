internal import CHiredis
internal import GenesysLoop

/// A command: its words, one after the other.
@safe struct RESPCommand: Equatable, Sendable {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    init(_ words: String...) {
        for word in words { append(word) }
    }

    var wordCount: Int { ends.count }
    var byteCount: Int { bytes.count }

    mutating func append(_ word: String) {
        bytes.append(contentsOf: word.utf8)
        ends.append(bytes.count)
    }

    mutating func append(_ source: [UInt8], _ range: Range<Int>) {
        Bytes.append(source.span, range, to: &bytes)
        ends.append(bytes.count)
    }

    mutating func reserve(bytes byteCount: Int, words wordCount: Int) {
        bytes.reserveCapacity(byteCount)
        ends.reserveCapacity(wordCount)
    }

    /// The command as it is sent.
    func encoded() -> [UInt8] {
        // The words point into `bytes`, which does not change during the call.
        unsafe bytes.withUnsafeBytes { buffer in
            var words: [UnsafePointer<CChar>?] = unsafe []
            var counts: [Int] = []
            unsafe words.reserveCapacity(ends.count)
            counts.reserveCapacity(ends.count)
            var start = 0
            for end in ends {
                unsafe words.append(buffer.baseAddress.map { unsafe ($0 + start).assumingMemoryBound(to: CChar.self) })
                counts.append(end - start)
                start = end
            }
            var command: UnsafeMutablePointer<CChar>?
            let count = unsafe redisFormatCommandArgv(&command, Int32(ends.count), &words, counts)
            guard count > 0, let command = unsafe command else { preconditionFailure("no memory for a command") }
            // The command is ours until it is freed.
            defer { unsafe redisFreeCommand(command) }
            return unsafe Array(UnsafeRawBufferPointer(start: command, count: Int(count)))
        }
    }
}
