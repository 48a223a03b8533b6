import GenesysLoop
import ServerKit
import Testing

@testable import websocket_echo

/// The client side of `websocket-echo` against a server that does not read.
@Suite struct EchoClientHostTests {
    @Test func `a peer that sends without reading makes it stop reading, and gets everything later`() throws {
        let loop = try UVLoop()
        let server = try Flood(loop, messageCount: 96, messageByteCount: 262_144)
        let host = EchoClientHost()
        let client = try WebSocketClient(uri: server.uri, on: loop, delegate: host)
        client.open()
        server.watch(client)
        loop.run()
        #expect(host.end() == .success)
        #expect(server.intactCount == 96)
        // The mark, and the message that exceeded it.
        #expect(server.greatestQueue >= 1_048_576)
        #expect(server.greatestQueue < 1_048_576 + 262_144 + 1_024)
    }
}

/// Sends messages, and reads nothing until its client has paused reading.
private final class Flood: TCPListenerOwner, TCPConnectionOwner {
    private let loop: UVLoop
    private let listener: TCPListener
    private var tcp: TCPConnection?
    private var parser = UpgradeRequestParser()
    private var reader = MessageReader(role: .server)
    private var isOpen = false
    private var messageCount: Int
    private let message: [UInt8]
    private var quietTurns = 0
    private var lastQueue = 0
    private(set) var greatestQueue = 0
    private(set) var intactCount = 0

    init(_ loop: UVLoop, messageCount: Int, messageByteCount: Int) throws {
        self.loop = loop
        self.messageCount = messageCount
        message = (0..<messageByteCount).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        listener = TCPListener(loop: loop, group: HandleGroup(loop: loop))
        try listener.bind()
        unsafe listener.owner = self
    }

    deinit { listener.close() }

    var uri: String { "ws://127.0.0.1:\(listener.localPort)/" }

    /// Checks every turn of the loop: when nothing has moved for a while, both sides wait for each other.
    func watch(_ client: WebSocketClient) {
        let queue = client.queuedByteCount
        greatestQueue = max(greatestQueue, queue)
        quietTurns = queue > 0 && queue == lastQueue ? quietTurns + 1 : 0
        lastQueue = queue
        if quietTurns == 2_000 { return tcp?.startReading() ?? () }
        let bound = LoopBound((self, client), on: loop)
        loop.execute { bound.value.0.watch(bound.value.1) }
    }

    func listener(_ listener: TCPListener, didAccept connection: TCPConnection) {
        tcp = connection
        unsafe connection.owner = self
        connection.startReading()
        listener.close()
    }

    func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer) {
        let bytes = unsafe [UInt8](bytes)
        guard isOpen else { return open(connection, bytes) }
        var offset = 0
        while offset < bytes.count, let event = try? reader.next(in: bytes.span, at: &offset) {
            guard event == .assembledMessage(.binary) else { continue }
            if reader.takeMessage() == message { intactCount += 1 }
            messageCount -= 1
            if messageCount == 0 { connection.write(ScriptedPeer.frame(.close, [3, 232])) }
        }
    }

    private func open(_ connection: TCPConnection, _ bytes: [UInt8]) {
        guard case .complete(let head, _)? = try? parser.receive(bytes.span), let key = head.key else { return }
        isOpen = true
        connection.stopReading()
        connection.write(Array(ScriptedPeer.acceptance(of: key).utf8))
        for _ in 0..<messageCount { connection.write(ScriptedPeer.frame(.binary, message)) }
    }

    func connectionDidReachEOF(_ connection: TCPConnection) {
        connection.close()
        tcp = nil
    }

    func listener(_ listener: TCPListener, didFailWith error: UVError) {}
    func connectionDidConnect(_ connection: TCPConnection) {}
    func connection(_ connection: TCPConnection, didFailToConnect error: UVError) {}
    func connection(_ connection: TCPConnection, didFailWith error: UVError) { tcp = nil }
    func connectionDidDrain(_ connection: TCPConnection) {}
}
