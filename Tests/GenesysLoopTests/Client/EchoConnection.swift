@testable import GenesysLoop
@testable import ServerKit

/// The server's end of one connection.
final class EchoConnection: TCPConnectionOwner {
    enum Event: Equatable {
        case message(MessageKind, [UInt8])
        case ping([UInt8])
        case pong([UInt8])
        case close(CloseCode?, String)
    }

    let tcp: TCPConnection
    private unowned let server: EchoServer
    private var tls: TLSSession?
    private var parser = UpgradeRequestParser()
    private var decoder = MessageReader(role: .server, limits: MessageLimits(maxMessageByteCount: 64 << 20))
    private var deflater: Deflater?
    private(set) var request: UpgradeRequestHead?
    private(set) var events: [Event] = []
    /// How the client ended it.
    private(set) var ending: String?

    init(_ tcp: TCPConnection, server: EchoServer) {
        self.tcp = tcp
        self.server = server
    }

    deinit { tcp.close() }

    func start() {
        unsafe tcp.owner = self
        if let context = server.context { tls = try? TLSSession(serverOn: context) }
        tcp.startReading()
    }

    // MARK: - Output

    /// Responds like a correct server.
    func answer(_ event: Event) {
        switch event {
        case .message(let kind, let bytes): send(kind == .text ? .text : .binary, bytes)
        case .ping(let payload): send(.pong, payload)
        case .pong: break
        case .close(let code, let reason):
            close(code, reason)
            tcp.shutdown()
        }
    }

    func send(_ opcode: Opcode, _ payload: [UInt8], isFinal: Bool = true) {
        var frame: [UInt8] = []
        if !opcode.isControl, let compressed = deflater?.deflate(payload.span) {
            FrameEncoder.append(opcode, isCompressed: true, payload: compressed, maskingKey: nil, to: &frame)
        } else {
            FrameEncoder.append(opcode, isFinal: isFinal, payload: payload, maskingKey: nil, to: &frame)
        }
        write(frame)
    }

    func close(_ code: CloseCode?, _ reason: String = "") {
        send(.close, FrameEncoder.closePayload(code, reason: reason))
    }

    func write(_ bytes: [UInt8]) {
        guard let tls else { return tcp.write(bytes) }
        try? tls.write(bytes.span)
        tcp.write(tls.takeOutgoing())
    }

    // MARK: - Input

    func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer) {
        // The loop lends its buffers during the call.
        guard let tls else { return unsafe receive([UInt8](bytes)) }
        unsafe tls.lend(bytes)
        do throws(TLSError) {
            if try tls.handshake() { try decrypt(tls) }
        } catch {
            ending = "\(error.fault)"
        }
        _ = tls.takeBack()
        tcp.write(tls.takeOutgoing())
    }

    private func decrypt(_ tls: TLSSession) throws(TLSError) {
        while case .bytes(let count) = try unsafe tls.read(into: tcp.loop.plaintextBuffer) {
            unsafe receive([UInt8](tcp.loop.plaintextBuffer[..<count]))
        }
    }

    private func receive(_ bytes: [UInt8]) {
        var offset = 0
        if request == nil {
            guard case .complete(let head, let consumed)? = try? parser.receive(bytes.span) else { return }
            request = head
            offset = consumed
            if let response = server.respond(head) {
                write(response)
                guard response.starts(with: "HTTP/1.1 101".utf8) else { return tcp.shutdown() }
            } else {
                write(EchoConnection.acceptance(of: head, extensions: agree(head)))
            }
            server.didOpen(self)
        }
        while offset < bytes.count {
            guard let event = try? decoder.next(in: bytes.span, at: &offset) else { return ending = "violation" }
            switch event {
            case .needMore: return
            case .message(let kind, let range): received(.message(kind, Array(bytes[range])))
            case .assembledMessage(let kind): received(.message(kind, decoder.takeMessage()))
            case .ping: received(.ping(decoder.controlPayload))
            case .pong: received(.pong(decoder.controlPayload))
            case .close(let code): received(.close(code, decoder.closeReason))
            }
        }
    }

    /// The answer to the extensions of the request.
    private func agree(_ head: UpgradeRequestHead) -> String? {
        guard let wanted = server.deflate,
            let answer = try? DeflateAnswer.accept(
                head.fields.values(of: "sec-websocket-extensions"), wanted: wanted)
        else { return nil }
        let agreed = answer.parameters
        decoder = MessageReader(
            role: .server, limits: MessageLimits(maxMessageByteCount: 64 << 20), deflate: agreed)
        deflater = Deflater(
            windowBits: agreed.sentWindowBits(by: .server), keepsContext: agreed.keepsSentContext(for: .server))
        return answer.headerValue
    }

    private func received(_ event: Event) {
        events.append(event)
        server.didReceive(self, event)
    }

    static func acceptance(of head: UpgradeRequestHead, subprotocol: String? = nil, extensions: String? = nil)
        -> [UInt8]
    {
        guard let key = head.key else { return [] }
        let accept = HandshakeKey.accept(for: key)
        return
            (try? UpgradeResponse.accept(
                acceptValue: accept, subprotocol: subprotocol,
                extraHeaders: extensions.map { [("Sec-WebSocket-Extensions", $0)] } ?? [])) ?? []
    }

    // MARK: - The end

    func connectionDidReachEOF(_ connection: TCPConnection) {
        ending = "EOF"
        tcp.close()
    }

    func connection(_ connection: TCPConnection, didFailWith error: UVError) {
        ending = error.name
        tcp.close()
    }

    func connectionDidDrain(_ connection: TCPConnection) { server.didDrain(self) }

    func connectionDidConnect(_ connection: TCPConnection) {}

    func connection(_ connection: TCPConnection, didFailToConnect error: UVError) {}
}
