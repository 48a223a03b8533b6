@testable import GenesysLoop

/// One client of a scripted proxy, and its connection to the server.
final class ScriptedProxyConnection: TCPConnectionOwner {
    private let client: TCPConnection
    private let loop: UVLoop
    private let serverPort: UInt16
    private let chunk: Int
    private let tls: TLSSession?
    private var script: ArraySlice<ScriptedProxy.Step>
    private var server: TCPConnection?
    private var input: [UInt8] = []
    private var drip: ArraySlice<UInt8> = []
    private var isWaitingForTurn = false
    private var isOver = false
    private var wantsFin = false
    private var endCount = 0

    /// What the client sent before it was connected.
    private(set) var said: [UInt8] = []
    /// How many bytes each side received from the other one.
    private(set) var relayed = (toServer: 0, toClient: 0)
    private(set) var hadCloseNotify = false

    init(
        _ client: TCPConnection, script: [ScriptedProxy.Step], context: TLSContext?, serverPort: UInt16, chunk: Int
    ) {
        self.client = client
        loop = client.loop
        self.script = script[...]
        self.serverPort = serverPort
        self.chunk = chunk
        tls = context.flatMap { try? TLSSession(serverOn: $0) }
    }

    deinit {
        client.close()
        server?.close()
    }

    func start() {
        unsafe client.owner = self
        client.startReading()
        advance()
    }

    // MARK: - The script

    private func advance() {
        while !isOver, server == nil, let step = script.first, isDue(step) {
            script.removeFirst()
            perform(step)
        }
    }

    private func isDue(_ step: ScriptedProxy.Step) -> Bool {
        switch step {
        case .head:
            guard input.suffix(4) == Array("\r\n\r\n".utf8)[...] else { return false }
            take(input.count)
        case .bytes(let count):
            guard input.count >= count else { return false }
            take(count)
        case .say, .relay: return tls?.isEstablished ?? true
        case .fin, .reset: return drip.isEmpty
        }
        return true
    }

    private func take(_ count: Int) {
        said += input.prefix(count)
        input.removeFirst(count)
    }

    private func perform(_ step: ScriptedProxy.Step) {
        switch step {
        case .head, .bytes: break
        case .say(let bytes): sendToClient(bytes)
        case .relay:
            guard let address = SocketAddress(numeric: "127.0.0.1", port: serverPort) else { return }
            let made = TCPConnection(loop: loop, group: HandleGroup(loop: loop), owner: self)
            server = made
            made.connect(to: address)
            made.startReading()
            made.write(input)
        case .fin:
            tls?.sendCloseNotify()
            flush()
            client.shutdown()
        case .reset:
            client.abort()
            end()
        }
    }

    // MARK: - Output to the client

    private func sendToClient(_ bytes: [UInt8]) {
        guard let tls else { return writeToClient(bytes) }
        try? tls.write(bytes.span)
        flush()
    }

    private func flush() {
        guard let tls else { return }
        writeToClient(tls.takeOutgoing())
    }

    private func writeToClient(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        guard chunk < Int.max else { return client.write(bytes) }
        drip += bytes
        takeTurn()
    }

    private func takeTurn() {
        guard !isWaitingForTurn else { return }
        isWaitingForTurn = true
        let bound = LoopBound(self, on: loop)
        loop.execute { bound.value.turnCame() }
    }

    private func turnCame() {
        isWaitingForTurn = false
        client.write(Array(drip.prefix(chunk)))
        drip = drip.dropFirst(chunk)
        if !drip.isEmpty { return takeTurn() }
        if wantsFin { client.shutdown() }
        advance()
    }

    // MARK: - Input

    func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer) {
        if connection === server {
            relayed.toClient += bytes.count
            return unsafe sendToClient([UInt8](bytes))
        }
        guard let tls else { return unsafe received([UInt8](bytes)) }
        // The loop lends the bytes for the call.
        unsafe tls.lend(bytes)
        do throws(TLSError) {
            if try tls.handshake() {
                loop: while true {
                    switch try unsafe tls.read(into: loop.plaintextBuffer) {
                    case .bytes(let count): unsafe received([UInt8](loop.plaintextBuffer[..<count]))
                    case .needMore: break loop
                    case .closeNotify:
                        hadCloseNotify = true
                        break loop
                    }
                }
            }
        } catch {
            flush()
            return end()
        }
        _ = tls.takeBack()
        flush()
        advance()
    }

    private func received(_ bytes: [UInt8]) {
        if let server {
            relayed.toServer += bytes.count
            return server.write(bytes)
        }
        input += bytes
        advance()
    }

    // MARK: - The end

    func connectionDidReachEOF(_ connection: TCPConnection) {
        guard let server else { return end() }
        endCount += 1
        if connection === server {
            tls?.sendCloseNotify()
            flush()
            wantsFin = true
            if drip.isEmpty { client.shutdown() }
        } else {
            server.shutdown()
        }
        if endCount == 2 { end() }
    }

    func connection(_ connection: TCPConnection, didFailWith error: UVError) { end() }
    func connection(_ connection: TCPConnection, didFailToConnect error: UVError) { end() }
    func connectionDidDrain(_ connection: TCPConnection) {}
    func connectionDidConnect(_ connection: TCPConnection) {}

    private func end() {
        isOver = true
        client.close()
        server?.close()
    }
}
