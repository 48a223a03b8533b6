@testable import GenesysLoop
@testable import ServerKit

/// A client's and a server's session that communicate through memory.
@safe final class TLSPair {
    let client: TLSSession
    let server: TLSSession
    /// The plaintext received so far.
    private(set) var clientReceived: [UInt8] = []
    private(set) var serverReceived: [UInt8] = []
    /// Called before every single call to a session.
    var interference: () -> Void = {}

    init(client: TLSSession, server: TLSSession) {
        self.client = client
        self.server = server
    }

    /// A pair whose client trusts the server.
    convenience init(maximumVersion: Int? = nil, host: String = "localhost") throws {
        let authority = try CertificateAuthority()
        try self.init(
            identity: authority.issue(), trust: authority.certificatePEM, host: host,
            options: .init(maximumVersion: maximumVersion))
    }

    /// A pair whose server sends `identity`, and whose client trusts `trust`.
    convenience init(
        identity: CertificateIdentity, trust: [UInt8], host: String = "localhost",
        options: TLSContext.ServerOptions = .init(), minimumVersion: TLSConfiguration.Version = .tls12
    ) throws {
        let clientContext = try TLSContext(
            client: TLSConfiguration(trust: .pem(trust), minimumVersion: minimumVersion))
        let serverContext = try TLSContext(server: identity.chainPEM, keyPEM: identity.keyPEM, options: options)
        self.init(
            client: try TLSSession(context: clientContext, clientFor: host),
            server: try TLSSession(serverOn: serverContext))
    }

    /// Moves ciphertext both ways, `chunk` bytes at a time, until neither side has output.
    func run(chunk: Int = .max) throws(TLSError) {
        if !client.isEstablished { _ = try client.handshake() }
        while !client.outgoing.isEmpty || !server.outgoing.isEmpty {
            try deliver(client.takeOutgoing(), to: server, chunk: chunk)
            try deliver(server.takeOutgoing(), to: client, chunk: chunk)
        }
    }

    /// Gives ciphertext to one side, which reads all of it.
    ///
    /// - Parameter room: for the plaintext.
    /// - Returns: how many bytes each read returned.
    @discardableResult
    func deliver(
        _ ciphertext: [UInt8], to session: TLSSession, chunk: Int = .max, room: Int = 16_384
    ) throws(TLSError) -> [Int] {
        var counts: [Int] = []
        var position = 0
        while position < ciphertext.count {
            let end = chunk > ciphertext.count - position ? ciphertext.count : position + chunk
            // A fresh array each time: lent memory is freed as soon as the session gives it back.
            let piece = Array(ciphertext[position..<end])
            let result = unsafe piece.withUnsafeBytes { bytes -> Result<Void, TLSError> in
                unsafe session.lend(bytes)
                defer { _ = session.takeBack() }
                return Result { () throws(TLSError) in counts += try self.step(session, room: room) }
            }
            try result.get()
            position = end
        }
        return counts
    }

    /// Lets one side read until it needs more.
    private func step(_ session: TLSSession, room: Int) throws(TLSError) -> [Int] {
        interference()
        guard try session.handshake() else { return [] }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 1)
        defer { unsafe buffer.deallocate() }
        var counts: [Int] = []
        while true {
            interference()
            guard case .bytes(let count) = try unsafe session.read(into: buffer) else { return counts }
            counts.append(count)
            if session === client {
                unsafe clientReceived += buffer.prefix(count)
            } else {
                unsafe serverReceived += buffer.prefix(count)
            }
        }
    }

    /// Reads once, without new input.
    func readOnce(_ session: TLSSession) throws(TLSError) -> TLSSession.ReadResult {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16_384, alignment: 1)
        defer { unsafe buffer.deallocate() }
        return try unsafe session.read(into: buffer)
    }

    /// The error with which the exchange ends at the client; nil if it does not.
    func clientError() -> TLSError? {
        do {
            _ = try client.handshake()
            while !client.outgoing.isEmpty {
                try deliver(client.takeOutgoing(), to: server)
                let answer = server.takeOutgoing()
                do { try deliver(answer, to: client) } catch { return error }
            }
            return nil
        } catch {
            // The server failed: the output that it sent before informs the client.
            do { try deliver(server.takeOutgoing(), to: client) } catch { return error }
            return nil
        }
    }
}

extension TLSSession {
    /// Encrypts an array.
    func write(_ bytes: [UInt8]) throws(TLSError) {
        try write(bytes.span)
    }
}

/// A pattern whose period is unrelated to the sizes of records and buffers.
func tlsPattern(_ count: Int) -> [UInt8] {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    let period = (0..<min(count, 8_191)).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 56)
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count { bytes += period.prefix(count - bytes.count) }
    return bytes
}

/// The versions to test, as numbers on the wire.
let tlsVersions = [0x0303, 0x0304]
