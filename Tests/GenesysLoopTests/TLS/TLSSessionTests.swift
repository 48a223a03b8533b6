import Testing

@testable import GenesysLoop
@testable import ServerKit

@Suite struct TLSSessionTests {
    @Test(arguments: tlsVersions, [Int.max, 1, 7, 1_000])
    func `the handshake completes however the bytes are cut`(version: Int, chunk: Int) throws {
        let pair = try TLSPair(maximumVersion: version)
        try pair.run(chunk: chunk)
        #expect(pair.client.isEstablished && pair.server.isEstablished)
        let name = version == 0x0303 ? "TLSv1.2" : "TLSv1.3"
        #expect(pair.client.summary.version == name)
        #expect(pair.server.summary == pair.client.summary)
        #expect(!pair.client.summary.cipher.isEmpty)

        try pair.client.write(Array("ping".utf8))
        try pair.server.write(Array("pong".utf8))
        try pair.run(chunk: chunk)
        #expect(pair.serverReceived == Array("ping".utf8))
        #expect(pair.clientReceived == Array("pong".utf8))
    }

    @Test(arguments: tlsVersions)
    func `five mebibytes arrive unchanged in both directions`(version: Int) throws {
        let pair = try TLSPair(maximumVersion: version)
        try pair.run()
        let data = tlsPattern(5 * 1_048_576)
        try pair.client.write(data)
        try pair.server.write(data)
        #expect(pair.client.outgoing.count > data.count)
        try pair.run(chunk: 65_536)
        #expect(pair.serverReceived == data)
        #expect(pair.clientReceived == data)
    }

    @Test(arguments: tlsVersions)
    func `many records in one input are read one by one`(version: Int) throws {
        let pair = try TLSPair(maximumVersion: version)
        try pair.run()
        for index in 0..<200 { try pair.server.write([UInt8](repeating: UInt8(index), count: 400)) }
        let input = pair.server.takeOutgoing()
        var buffer = [UInt8](repeating: 0, count: 16_384)
        try unsafe input.withUnsafeBytes { bytes in
            unsafe pair.client.lend(bytes)
            for index in 0..<200 {
                let result = try unsafe buffer.withUnsafeMutableBytes { try unsafe pair.client.read(into: $0) }
                #expect(result == .bytes(400))
                #expect(buffer[0] == UInt8(index) && buffer[399] == UInt8(index))
            }
            let last = try unsafe buffer.withUnsafeMutableBytes { try unsafe pair.client.read(into: $0) }
            #expect(last == .needMore)
            #expect(pair.client.takeBack() == 0)
        }
    }

    @Test(arguments: tlsVersions)
    func `small records are read together, and large ones in parts`(version: Int) throws {
        let pair = try TLSPair(maximumVersion: version)
        try pair.run()
        var sent: [UInt8] = []
        for size in [Int](repeating: 400, count: 60) + [16_384, 16_000, 1, 16_384, 8_191, 1, 1] {
            sent += tlsPattern(size)
            try pair.server.write(tlsPattern(size))
        }
        let counts = try pair.deliver(pair.server.takeOutgoing(), to: pair.client, room: 65_536)
        #expect(counts == [8_400, 8_400, 7_200 + 16_384, 8_192, 7_808 + 1 + 16_384, 8_192, 1])
        #expect(pair.clientReceived == sent)
    }

    @Test(arguments: tlsVersions, [1, 40])
    func `what small records hold comes before the close_notify behind them`(version: Int, count: Int) throws {
        let pair = try TLSPair(maximumVersion: version)
        try pair.run()
        for _ in 0..<count { try pair.server.write(tlsPattern(100)) }
        pair.server.sendCloseNotify()
        let counts = try pair.deliver(pair.server.takeOutgoing(), to: pair.client, room: 65_536)
        #expect(counts == [100 * count])
        #expect(pair.client.endOfInput() == .clean)
        #expect(try pair.readOnce(pair.client) == .closeNotify)
        #expect(try pair.readOnce(pair.client) == .closeNotify)
    }

    @Test(arguments: tlsVersions, [1, 40])
    func `what small records hold comes before the fault of the one behind them`(version: Int, count: Int) throws {
        let pair = try TLSPair(maximumVersion: version)
        try pair.run()
        for _ in 0..<count { try pair.server.write(tlsPattern(100)) }
        let whole = pair.server.takeOutgoing()
        try pair.server.write(tlsPattern(100))
        var broken = pair.server.takeOutgoing()
        broken[broken.count - 1] ^= 1
        let fault = #expect(throws: TLSError.self) {
            try pair.deliver(whole + broken, to: pair.client, room: 65_536)
        }
        #expect(pair.clientReceived.count == 100 * count)
        #expect(fault?.fault == .protocol)
        #expect(!pair.client.outgoing.isEmpty, "the alert")
        let again = #expect(throws: TLSError.self) { try pair.readOnce(pair.client) }
        #expect(again == fault)
    }

    @Test func `what was not consumed can be taken back and lent again`() throws {
        let pair = try TLSPair()
        try pair.run()
        for index in 0..<3 { try pair.server.write([UInt8](repeating: UInt8(index), count: 100)) }
        let input = pair.server.takeOutgoing()
        let rest = try unsafe input.withUnsafeBytes { bytes throws -> Int in
            unsafe pair.client.lend(bytes)
            #expect(try pair.readOnce(pair.client) == .bytes(100))
            return pair.client.takeBack()
        }
        #expect(rest == input.count / 3 * 2)
        #expect(try pair.readOnce(pair.client) == .needMore)
        try pair.deliver(Array(input.suffix(rest)), to: pair.client)
        #expect(pair.clientReceived == [UInt8](repeating: 1, count: 100) + [UInt8](repeating: 2, count: 100))
    }

    @Test func `a record larger than the target comes in parts`() throws {
        let pair = try TLSPair()
        try pair.run()
        try pair.server.write(tlsPattern(1_000))
        let input = pair.server.takeOutgoing()
        var small = [UInt8](repeating: 0, count: 300)
        try unsafe input.withUnsafeBytes { bytes in
            unsafe pair.client.lend(bytes)
            for expected in [300, 300, 300, 100] {
                let result = try unsafe small.withUnsafeMutableBytes { try unsafe pair.client.read(into: $0) }
                #expect(result == .bytes(expected))
                pair.client.releaseBuffers()
            }
            #expect(pair.client.takeBack() == 0)
        }
    }

    @Test(arguments: tlsVersions)
    func `each side ends its own direction with close_notify`(version: Int) throws {
        let pair = try TLSPair(maximumVersion: version)
        try pair.run()
        try pair.client.write([1])
        pair.client.sendCloseNotify()
        pair.client.sendCloseNotify()
        try pair.run()
        #expect(pair.serverReceived == [1])
        #expect(try pair.readOnce(pair.server) == .closeNotify)
        #expect(pair.server.endOfInput() == .clean)
        #expect(pair.client.endOfInput() == .truncated)
        #expect(throws: TLSError.self) { try pair.client.write([2]) }

        try pair.server.write([3])
        pair.server.sendCloseNotify()
        try pair.run()
        #expect(pair.clientReceived == [3])
        #expect(try pair.readOnce(pair.client) == .closeNotify)
        #expect(pair.client.endOfInput() == .clean)
    }

    @Test(arguments: tlsVersions)
    func `an end without close_notify is a truncation`(version: Int) throws {
        let pair = try TLSPair(maximumVersion: version)
        #expect(pair.client.endOfInput() == .truncated)
        try pair.run()
        try pair.server.write([1, 2, 3])
        try pair.deliver(pair.server.takeOutgoing().dropLast(), to: pair.client)
        #expect(pair.clientReceived == [])
        #expect(try pair.readOnce(pair.client) == .needMore)
        #expect(pair.client.endOfInput() == .truncated)
    }

    @Test func `nothing can be written before the handshake is complete, and nothing is lost by trying`() throws {
        let pair = try TLSPair()
        #expect(throws: TLSError.self) { try pair.client.write([1]) }
        pair.client.sendCloseNotify()
        #expect(pair.client.outgoing == [])
        try pair.run()
        try pair.client.write([2])
        try pair.run()
        #expect(pair.serverReceived == [2])
    }

    @Test func `an empty write makes no record`() throws {
        let pair = try TLSPair()
        try pair.run()
        try pair.client.write([])
        #expect(pair.client.outgoing == [])
    }

    @Test func `discarding what was sent keeps a small storage only`() throws {
        let pair = try TLSPair()
        try pair.run()
        try pair.client.write(tlsPattern(100))
        pair.client.discardOutgoing()
        #expect(pair.client.outgoing.isEmpty && pair.client.outgoing.capacity >= 100)
        try pair.client.write(tlsPattern(200_000))
        pair.client.discardOutgoing()
        #expect(pair.client.outgoing.capacity == 0)
    }

    @Test(arguments: tlsVersions)
    func `traffic goes on after the buffers were released`(version: Int) throws {
        let pair = try TLSPair(maximumVersion: version)
        pair.client.releaseBuffers()
        try pair.run()
        for _ in 0..<3 {
            pair.client.releaseBuffers()
            pair.server.releaseBuffers()
            try pair.client.write(tlsPattern(40_000))
            try pair.server.write(tlsPattern(40_000))
            try pair.run(chunk: 1_000)
        }
        #expect(pair.clientReceived == tlsPattern(40_000) + tlsPattern(40_000) + tlsPattern(40_000))
        #expect(pair.serverReceived == pair.clientReceived)
    }

    @Test(arguments: tlsVersions, [1, 100, 5_000])
    func `buffers may be released after every piece of a handshake`(version: Int, chunk: Int) throws {
        let pair = try TLSPair(maximumVersion: version)
        _ = try pair.client.handshake()
        while !pair.client.outgoing.isEmpty || !pair.server.outgoing.isEmpty {
            for (sender, receiver) in [(pair.client, pair.server), (pair.server, pair.client)] {
                let flight = sender.takeOutgoing()
                for start in stride(from: 0, to: flight.count, by: chunk) {
                    try pair.deliver(Array(flight[start..<min(start + chunk, flight.count)]), to: receiver)
                    receiver.releaseBuffers()
                }
            }
        }
        try pair.server.write(tlsPattern(300))
        try pair.run()
        #expect(pair.clientReceived == tlsPattern(300))
    }

    @Test(arguments: tlsVersions)
    func `releasing the buffers amid a record does no harm`(version: Int) throws {
        let pair = try TLSPair(maximumVersion: version)
        try pair.run()
        try pair.server.write(tlsPattern(300))
        try pair.server.write(tlsPattern(200))
        for byte in pair.server.takeOutgoing() {
            try pair.deliver([byte], to: pair.client)
            pair.client.releaseBuffers()
        }
        #expect(pair.clientReceived == tlsPattern(300) + tlsPattern(200))
    }

    @Test func `the last reference can be dropped at any byte of a handshake`() throws {
        let authority = try CertificateAuthority()
        let identity = try authority.issue()
        let clientContext = try TLSContext(client: TLSConfiguration(trust: .pem(authority.certificatePEM)))
        let serverContext = try TLSContext(server: identity.chainPEM, keyPEM: identity.keyPEM)
        for cut in stride(from: 0, to: 2_000, by: 97) {
            let client = try TLSSession(context: clientContext, clientFor: "localhost")
            let server = try TLSSession(serverOn: serverContext)
            let pair = TLSPair(client: client, server: server)
            _ = try client.handshake()
            try pair.deliver(client.takeOutgoing(), to: server)
            let answer = server.takeOutgoing()
            try pair.deliver(Array(answer.prefix(cut)), to: client)
            // Still lent when both are deallocated.
            unsafe answer.withUnsafeBytes { unsafe client.lend($0) }
        }
    }

    @Test func `a session outlives its context`() throws {
        let pair = try TLSPair()
        try pair.run()
        try pair.client.write([7])
        try pair.run()
        #expect(pair.serverReceived == [7])
    }
}
