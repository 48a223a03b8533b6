import CHiredis

/// A connection to Redis, on which each command waits for its answer.
@safe final class Redis {
    struct Failure: Error {
        let message: String
    }

    /// Freed in `deinit`.
    private let context: UnsafeMutablePointer<redisContext>

    init(socket: String) throws {
        guard let context = unsafe redisConnectUnix(socket) else { throw Failure(message: "no memory") }
        unsafe self.context = context
        if unsafe context.pointee.err != 0 { throw failure() }
    }

    deinit { unsafe redisFree(context) }

    /// The entries of a stream behind the one with the ID `id`; none if none is added within the time.
    func read(_ stream: String, after id: String, seconds: Int) throws -> [(id: String, fields: [String: String])] {
        let words = ["XREAD", "COUNT", "500", "BLOCK", "\(seconds * 1_000)", "STREAMS", stream, id]
        let command = "*\(words.count)\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
        var answer: UnsafeMutableRawPointer?
        guard unsafe redisAppendFormattedCommand(context, command, command.utf8.count) == REDIS_OK,
            unsafe redisGetReply(context, &answer) == REDIS_OK, let answer = unsafe answer
        else { throw failure() }
        // The replies live until here.
        defer { unsafe freeReplyObject(answer) }
        let reply = unsafe answer.assumingMemoryBound(to: redisReply.self)
        if unsafe reply.pointee.type == REDIS_REPLY_ERROR { throw Failure(message: unsafe text(reply)) }
        guard let ofStream = unsafe elements(reply).first, let entries = unsafe elements(ofStream).last else {
            return []
        }
        return unsafe elements(entries).map { entry in
            let parts = unsafe elements(entry)
            let texts = unsafe elements(parts[1]).map { unsafe text($0) }
            let pairs = stride(from: 0, to: texts.count - 1, by: 2).map { (texts[$0], texts[$0 + 1]) }
            return unsafe (text(parts[0]), Dictionary(pairs, uniquingKeysWith: { $1 }))
        }
    }

    private func failure() -> Failure {
        // The text is part of the context.
        unsafe withUnsafePointer(to: &context.pointee.errstr) { text in
            unsafe text.withMemoryRebound(to: CChar.self, capacity: 1) { unsafe Failure(message: String(cString: $0)) }
        }
    }
}

/// The replies in a reply.
private func elements(_ reply: UnsafeMutablePointer<redisReply>) -> [UnsafeMutablePointer<redisReply>] {
    unsafe (0..<reply.pointee.elements).compactMap { unsafe reply.pointee.element?[$0] }
}

private func text(_ reply: UnsafeMutablePointer<redisReply>) -> String {
    unsafe String(decoding: UnsafeRawBufferPointer(start: reply.pointee.str, count: reply.pointee.len), as: UTF8.self)
}
