import GenesysLoop
import GenesysSimulator

/// A client that can misbehave: it sends what a test specifies, in pieces if needed, and records what it receives.
final class RawClient: TCPConnectionOwner, TimerOwner, StageActor {
    static let key = "dGhlIHNhbXBsZSBub25jZQ=="

    let tcp: TCPConnection
    private let loop: UVLoop
    private let context: TLSContext?
    private var tls: TLSSession?
    private var dripTimer: Timer?
    private var drip: ArraySlice<UInt8> = []
    private let chunkSize: Int?
    private var decoder = MessageReader(role: .client)

    /// Sent when the connection is secure.
    var greeting: [UInt8]
    /// The head of the answer, without the empty line.
    private(set) var head: String?
    private(set) var body: [UInt8] = []
    /// The TLS records after the head.
    private(set) var records = RecordCounter()
    private(set) var frames: [UInt8] = []
    private(set) var messages: [String] = []
    private(set) var pongs: [[UInt8]] = []
    private(set) var closeCode: CloseCode?
    private(set) var hasClosed = false
    /// "EOF" or the name of an error.
    private(set) var ending: String?
    private(set) var hadCloseNotify = false

    var didHead: (RawClient) -> Void = { _ in }
    var didOpen: (RawClient) -> Void = { _ in }
    var didReceive: (RawClient, String) -> Void = { _, _ in }
    var didPong: (RawClient) -> Void = { _ in }
    var didReceiveClose: (RawClient) -> Void = { _ in }
    var didEnd: (RawClient) -> Void = { _ in }

    convenience init(_ stage: ServerStage, greeting: String? = nil, chunkSize: Int? = nil) throws {
        try self.init(
            stage.loop, port: stage.server.port, trust: stage.server.caCertificatePEM,
            greeting: greeting ?? Self.upgrade(stage.id), chunkSize: chunkSize)
        stage.add(self)
    }

    /// A client of any server; an empty `trust` means no TLS.
    init(_ loop: UVLoop, port: UInt16, trust pem: [UInt8], greeting: String, chunkSize: Int? = nil) throws {
        self.loop = loop
        self.chunkSize = chunkSize
        context = pem.isEmpty ? nil : try TLSContext(client: TLSConfiguration(trust: .pem(pem)))
        self.greeting = Array(greeting.utf8)
        tcp = TCPConnection(loop: loop, group: HandleGroup(loop: loop))
        unsafe tcp.owner = self
        guard let address = SocketAddress(numeric: "127.0.0.1", port: port) else { return }
        tcp.connect(to: address)
        tcp.startReading()
    }

    static func upgrade(_ id: String, extra: String = "") -> String {
        "GET /channels/\(id) HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \(key)\r\n\(extra)\r\n"
    }

    func forget() {
        didHead = { _ in }
        (didOpen, didReceive, didPong) = ({ _ in }, { _, _ in }, { _ in })
        (didReceiveClose, didEnd) = ({ _ in }, { _ in })
    }

    // MARK: Output

    func send(_ text: String) { send(.text, Array(text.utf8)) }

    func send(_ opcode: Opcode, _ payload: [UInt8], isMasked: Bool = true) {
        var frame: [UInt8] = []
        FrameEncoder.append(opcode, payload: payload, maskingKey: isMasked ? 0x0102_0304 : nil, to: &frame)
        sendBytes(frame)
    }

    func sendBytes(_ bytes: [UInt8]) {
        guard let tls else { return write(bytes) }
        try? tls.write(bytes.span)
        write(tls.takeOutgoing())
    }

    func sendCloseNotify() {
        tls?.sendCloseNotify()
        write(tls?.takeOutgoing() ?? [])
    }

    private func write(_ bytes: [UInt8]) {
        guard chunkSize != nil else { return tcp.write(bytes) }
        drip += bytes
        if dripTimer == nil { dripTimer = Timer(loop: loop, group: tcp.group, owner: self) }
        dripTimer?.start(at: loop.now.instant)
    }

    func timerDidFire(_ timer: Timer) {
        tcp.write(Array(drip.prefix(chunkSize ?? 1)))
        drip = drip.dropFirst(chunkSize ?? 1)
        if drip.isEmpty { dripTimer = nil } else { timer.start(at: loop.now.instant) }
    }

    // MARK: Input

    func connectionDidConnect(_ connection: TCPConnection) {
        guard let context else { return sendBytes(greeting) }
        do {
            let tls = try TLSSession(context: context, clientFor: "localhost")
            self.tls = tls
            _ = try tls.handshake()
            write(tls.takeOutgoing())
        } catch {
            end("\(error)")
        }
    }

    func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer) {
        guard let tls else { return receive(unsafe [UInt8](bytes)) }
        if head != nil { unsafe records.receive([UInt8](bytes)) }
        unsafe tls.lend(bytes)
        let wasEstablished = tls.isEstablished
        do {
            if !wasEstablished, try tls.handshake() { sendBytes(greeting) }
            reading: while true {
                switch try unsafe tls.read(into: loop.plaintextBuffer) {
                case .bytes(let count): receive(unsafe [UInt8](loop.plaintextBuffer[..<count]))
                case .needMore: break reading
                case .closeNotify:
                    hadCloseNotify = true
                    break reading
                }
            }
        } catch {
            end("\(error)")
        }
        _ = tls.takeBack()
        let outgoing = tls.takeOutgoing()
        if !outgoing.isEmpty { write(outgoing) }
    }

    private func receive(_ bytes: [UInt8]) {
        guard head == nil else { return receiveFrames(bytes) }
        body += bytes
        let end = Array("\r\n\r\n".utf8)
        guard let start = body.indices.first(where: { body[$0...].starts(with: end) }) else { return }
        head = String(decoding: body[..<start], as: UTF8.self)
        body.removeFirst(start + 4)
        didHead(self)
        guard head?.hasPrefix("HTTP/1.1 101 ") == true else { return }
        let rest = body
        body = []
        didOpen(self)
        receiveFrames(rest)
    }

    private func receiveFrames(_ bytes: [UInt8]) {
        guard head?.hasPrefix("HTTP/1.1 101 ") == true else { return body += bytes }
        frames += bytes
        var offset = 0
        while offset < bytes.count {
            guard let event = try? decoder.next(in: bytes.span, at: &offset) else { return end("violation") }
            switch event {
            case .needMore: return
            case .message(_, let range): told(Array(bytes[range]))
            case .assembledMessage: told(decoder.takeMessage())
            case .ping: break
            case .pong:
                pongs.append(decoder.controlPayload)
                didPong(self)
            case .close(let code):
                closeCode = code
                hasClosed = true
                didReceiveClose(self)
            }
        }
    }

    private func told(_ message: [UInt8]) {
        let text = String(decoding: message, as: UTF8.self)
        messages.append(text)
        didReceive(self, text)
    }

    func connectionDidReachEOF(_ connection: TCPConnection) { end("EOF") }

    func connection(_ connection: TCPConnection, didFailToConnect error: UVError) { end(error.name) }

    func connection(_ connection: TCPConnection, didFailWith error: UVError) { end(error.name) }

    func connectionDidDrain(_ connection: TCPConnection) {}

    private func end(_ ending: String) {
        guard self.ending == nil else { return }
        self.ending = ending
        dripTimer = nil
        tcp.close()
        didEnd(self)
    }
}
