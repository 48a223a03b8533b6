/// One timed operation.
struct Subject {
    /// The group of its data: subjects of one group are compared with each other.
    let group: String
    let name: String
    /// How many messages, and how many bytes in total, one call of `run` processes.
    let messageCount: Int
    let byteCount: Int
    /// Processes all messages once, and returns a value that depends on each of them.
    let run: () -> Int

    /// Part of every group: the C library's search for a byte that does not occur, on the same messages.
    static let yardstick = "memchr"
}

extension Subject {
    /// A subject that applies `body` to each message in turn.
    init(_ group: String, _ name: String, on messages: [[UInt8]], _ body: @escaping ([UInt8]) -> Int) {
        self.init(
            group: group, name: name, messageCount: messages.count, byteCount: messages.reduce(0) { $0 + $1.count },
            run: {
                var sum = 0
                for message in messages { sum &+= body(message) }
                return sum
            })
    }

    /// A subject that applies `body` to each message in turn; the messages follow each other, as in a read buffer.
    ///
    /// Inlined, so that between two messages nothing is called through a pointer, retained or released, which would
    /// dominate with small messages.
    @inline(__always)
    init(_ group: String, _ name: String, lending messages: [[UInt8]], _ body: @escaping (Span<UInt8>) -> Int) {
        let buffer = Array(messages.joined())
        let counts = messages.map(\.count)
        self.init(
            group: group, name: name, messageCount: messages.count, byteCount: buffer.count,
            run: {
                let bytes = buffer.span
                var sum = 0, start = 0
                for count in counts {
                    sum &+= body(bytes.extracting(start..<start + count))
                    start += count
                }
                return sum
            })
    }
}
