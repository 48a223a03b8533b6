import GenesysLoop

/// Two sessions and the ciphertext between them.
struct TLSRun {
    /// One side, and the ciphertext on its way to it.
    private struct Side {
        let session: TLSSession
        /// Ciphertext on its way to this side.
        var wire: [UInt8] = []
        var received: [UInt8] = []
        var sentCount = 0
        var error: TLSError?
        var hasSentCloseNotify = false
        var hasReceivedCloseNotify = false
    }

    private var sides: [Side]
    private let bufferByteCount: Int
    private(set) var complaint: String?

    private static let maxRoundCount = 20

    init(_ contexts: TLSContexts, isOlder: Bool, bufferByteCount: Int) throws(TLSError) {
        let client = try TLSSession(context: contexts.client, clientFor: "localhost")
        let server = try TLSSession(serverOn: isOlder ? contexts.olderServer : contexts.server)
        sides = [Side(session: client), Side(session: server)]
        self.bufferByteCount = bufferByteCount
        do throws(TLSError) { _ = try client.handshake() } catch { complain("the client cannot begin: \(error)") }
        collect()
    }

    private mutating func complain(_ text: String) {
        if complaint == nil { complaint = text }
    }

    // MARK: - Steps

    mutating func step(_ source: inout FuzzInput) {
        let choice = source.byte()
        let to = Int(choice >> 7)
        switch choice & 0x7F {
        case 0..<10: settle()
        case 10..<20: deliver(to: to, count: .max)
        case 20..<30: deliver(to: to, count: 1 + source.number(below: 256))
        case 30..<40: write(from: to, count: source.word())
        case 40..<44: closeNotify(from: to)
        case 44..<48: sides[to].session.releaseBuffers()
        default: change(to, choice & 0x7F, &source)
        }
        collect()
    }

    /// The attacker's change to the ciphertext on its way to a side.
    private mutating func change(_ to: Int, _ choice: UInt8, _ source: inout FuzzInput) {
        let position = source.word()
        let count = sides[to].wire.count
        switch choice {
        case 48..<64 where count > 0: sides[to].wire[position % count] ^= max(1, source.byte())
        case 64..<72: sides[to].wire.removeLast(min(count, position))
        case 72..<82:
            let added = source.bytes(source.number(below: 32))
            sides[to].wire.insert(contentsOf: added, at: position % (count + 1))
        case 82..<86: sides[to].wire = source.bytes(source.number(below: 64))
        default: changeRecords(to, choice, position, &source)
        }
    }

    private mutating func changeRecords(_ to: Int, _ choice: UInt8, _ position: Int, _ source: inout FuzzInput) {
        var records = Self.records(of: sides[to].wire)
        guard !records.isEmpty else { return }
        let index = position % records.count
        switch choice {
        case 86..<96: records.insert(records[index], at: min(records.count, index + source.number(below: 3)))
        case 96..<102: records.remove(at: index)
        case 102..<108: records.swapAt(index, (index + 1) % records.count)
        case 108..<114: records[index][0] = source.byte()
        case 114..<118 where records[index].count > 4: records[index][3 + position % 2] = source.byte()
        case 118..<122 where records[index].count > 5:
            // A record whose length matches its truncated content.
            records[index].removeLast(min(records[index].count - 5, 1 + source.number(below: 40)))
            let length = records[index].count - 5
            records[index][3] = UInt8(length >> 8)
            records[index][4] = UInt8(length & 0xFF)
        default: records.append([source.byte(), 3, 3, 0, 2] + source.bytes(2))
        }
        sides[to].wire = Array(records.joined())
    }

    /// The records of a stream; the last may be incomplete.
    private static func records(of wire: [UInt8]) -> [[UInt8]] {
        var records: [[UInt8]] = []
        var start = 0
        while start < wire.count {
            let length = wire.count - start < 5 ? 0 : Int(wire[start + 3]) << 8 | Int(wire[start + 4])
            let end = min(wire.count, start + 5 + length)
            records.append(Array(wire[start..<end]))
            start = end
        }
        return records
    }

    // MARK: - The sides

    /// Without further interference, both sides run until neither has output.
    mutating func settle() {
        for _ in 0..<Self.maxRoundCount {
            collect()
            if sides.allSatisfy(\.wire.isEmpty) { return }
            deliver(to: 1, count: .max)
            collect()
            deliver(to: 0, count: .max)
        }
        complain("they never come to rest")
    }

    /// Collects the output of both sides.
    private mutating func collect() {
        for index in sides.indices {
            let outgoing = sides[index].session.takeOutgoing()
            sides[1 - index].wire += outgoing
        }
    }

    private static func plaintext(_ index: Int) -> UInt8 { UInt8(truncatingIfNeeded: index &* 31 &+ index >> 8) }

    private mutating func write(from index: Int, count: Int) {
        let side = sides[index]
        guard side.session.isEstablished, side.error == nil, !side.hasSentCloseNotify else { return }
        let bytes = (side.sentCount..<(side.sentCount + count)).map(Self.plaintext)
        sides[index].sentCount += count
        do throws(TLSError) { try side.session.write(bytes.span) } catch { failed(index, error) }
    }

    private mutating func closeNotify(from index: Int) {
        let side = sides[index]
        if side.session.isEstablished, side.error == nil { sides[index].hasSentCloseNotify = true }
        side.session.sendCloseNotify()
    }

    private mutating func deliver(to index: Int, count: Int) {
        let piece = Array(sides[index].wire.prefix(count))
        sides[index].wire.removeFirst(piece.count)
        guard !piece.isEmpty else { return }
        let session = sides[index].session
        var received: [UInt8] = []
        // What is lent lives until it is taken back.
        let result = unsafe piece.withUnsafeBytes { bytes -> Result<Bool, TLSError> in
            unsafe session.lend(bytes)
            defer { _ = session.takeBack() }
            return Result { () throws(TLSError) in try readAll(session, into: &received) }
        }
        sides[index].received += received
        switch result {
        case .success(let isOver): if isOver { sides[index].hasReceivedCloseNotify = true }
        case .failure(let error): failed(index, error)
        }
        examine(index)
    }

    /// Reads until more is needed; true after the peer's close_notify.
    private func readAll(_ session: TLSSession, into received: inout [UInt8]) throws(TLSError) -> Bool {
        guard try session.handshake() else { return false }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferByteCount, alignment: 1)
        defer { unsafe buffer.deallocate() }
        while true {
            switch try unsafe session.read(into: buffer) {
            case .bytes(let count): unsafe received.append(contentsOf: buffer.prefix(count))
            case .needMore: return false
            case .closeNotify: return true
            }
        }
    }

    // MARK: - What always holds

    private mutating func failed(_ index: Int, _ error: TLSError) {
        if let first = sides[index].error, first != error { complain("\(error) after \(first)") }
        sides[index].error = error
        if error.description.isEmpty { complain("no sentence") }
        switch error.fault {
        case .configuration, .internal: complain("the peer is not blamed: \(error) \(error.operation) \(error.text)")
        case .certificate, .clientCertificateMissing, .alertReceived, .notTLS, .protocol, .version, .cipher: break
        }
        let session = sides[index].session
        let again = Result { () throws(TLSError) in try session.handshake() }
        if again != .failure(error) { complain("another answer after \(error)") }
    }

    private mutating func examine(_ index: Int) {
        let side = sides[index]
        let peer = sides[1 - index]
        if side.received.count > peer.sentCount { complain("more came out than went in") }
        for (position, byte) in side.received.enumerated() where byte != Self.plaintext(position) {
            return complain("byte \(position) came out changed")
        }
        if side.hasReceivedCloseNotify != (side.session.endOfInput() == .clean) { complain("the end is told wrongly") }
        if side.hasReceivedCloseNotify, !peer.hasSentCloseNotify { complain("an end that nobody sent") }
        if side.hasReceivedCloseNotify, side.received.count != peer.sentCount { complain("an end before the end") }
    }
}
