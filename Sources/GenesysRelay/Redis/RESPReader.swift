internal import CHiredis

/// Takes replies out of the server's bytes, however they are cut.
///
/// hiredis knows the protocol; this bounds what it keeps: a reply has at most `byteLimit` bytes and `elementLimit`
/// elements.
@safe final class RESPReader {
    /// The bytes are no reply, or one that is too large.
    struct Violation: Error, Hashable {
        let text: String
    }

    static let byteLimit = 4 << 20
    static let elementLimit = 4_096

    private enum Element {
        case value(RESPReply)
        case array(Int)
    }

    /// Owned, as the visitor that it refers to.
    private let reader: UnsafeMutablePointer<redisReader>
    private let visitor: UnsafeMutablePointer<chiredis_visitor>
    private var elements: [Element] = []
    /// The bytes since the last whole reply.
    private var partByteCount = 0
    private var violation: Violation?

    init() {
        let visitor = UnsafeMutablePointer<chiredis_visitor>.allocate(capacity: 1)
        unsafe visitor.initialize(to: chiredis_visitor(visit: visitElement, context: nil))
        guard let reader = unsafe chiredis_reader(visitor) else { preconditionFailure("no memory for a reader") }
        unsafe self.reader = unsafe reader
        unsafe self.visitor = unsafe visitor
        // The reader calls back only within `next()`, while `self` is alive.
        unsafe visitor.pointee.context = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit {
        unsafe redisReaderFree(reader)
        unsafe visitor.deallocate()
    }

    /// Takes bytes over.
    func feed(_ bytes: UnsafeRawBufferPointer) throws(Violation) {
        if let violation { throw violation }
        partByteCount += bytes.count
        // The reader copies the bytes, which are lent for the call.
        let code = unsafe redisReaderFeed(reader, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        guard code == REDIS_OK else { throw fail("there is no memory for a reply") }
    }

    /// The next whole reply; nil if bytes are missing.
    func next() throws(Violation) -> RESPReply? {
        if let violation { throw violation }
        let code = unsafe chiredis_next(reader)
        if code > 0 {
            // What is left belongs to later replies.
            partByteCount = unsafe Int(reader.pointee.len - reader.pointee.pos)
            let whole = elements
            elements.removeAll(keepingCapacity: true)
            var place = 0
            guard let reply = RESPReader.reply(in: whole, &place) else { throw fail("a reply is of an unknown kind") }
            return reply
        }
        if code < 0 { throw fail(unsafe String(cString: chiredis_error(reader))) }
        guard partByteCount <= RESPReader.byteLimit else {
            throw fail("a reply has more than \(RESPReader.byteLimit) bytes")
        }
        return nil
    }

    private func fail(_ text: String) -> Violation {
        let violation = Violation(text: text)
        self.violation = violation
        return violation
    }

    /// Builds the reply that begins at a place. hiredis lets arrays nest eight times.
    ///
    /// - Returns: nil if an element was not told: a later hiredis knows kinds that are not asked for.
    private static func reply(in elements: [Element], _ place: inout Int) -> RESPReply? {
        guard elements.indices.contains(place) else { return nil }
        let element = elements[place]
        place += 1
        switch element {
        case .value(let value): return value
        case .array(let count):
            var array: [RESPReply] = []
            array.reserveCapacity(count)
            for _ in 0..<count {
                guard let part = reply(in: elements, &place) else { return nil }
                array.append(part)
            }
            return .array(array)
        }
    }

    /// Keeps an element.
    ///
    /// - Returns: whether the reply may be that large.
    fileprivate func visit(kind: Int32, number: Int64, bytes: UnsafeRawBufferPointer) -> Bool {
        guard elements.count < RESPReader.elementLimit else { return false }
        switch kind {
        case REDIS_REPLY_STATUS: unsafe elements.append(.value(.status(String(decoding: bytes, as: UTF8.self))))
        case REDIS_REPLY_ERROR: unsafe elements.append(.value(.error(String(decoding: bytes, as: UTF8.self))))
        case REDIS_REPLY_STRING: unsafe elements.append(.value(.bulk(Array(bytes))))
        case REDIS_REPLY_INTEGER: elements.append(.value(.integer(number)))
        case REDIS_REPLY_ARRAY:
            guard (0...Int64(RESPReader.elementLimit)).contains(number) else { return false }
            elements.append(.array(Int(number)))
        default: elements.append(.value(.null))
        }
        return true
    }
}

private func visitElement(
    _ context: UnsafeMutableRawPointer?, _ kind: Int32, _ number: Int64, _ bytes: UnsafePointer<CChar>?, _ count: Int
) -> Int32 {
    guard let context = unsafe context else { return 0 }
    // The context is the reader whose `next()` is running; the bytes are lent for the call.
    let reader = unsafe Unmanaged<RESPReader>.fromOpaque(context).takeUnretainedValue()
    return unsafe reader.visit(
        kind: kind, number: number, bytes: UnsafeRawBufferPointer(start: bytes, count: count)) ? 1 : 0
}
