import Foundation

@testable import GenesysLoop
@testable import ServerKit

/// A server's end of one connection, which follows a script and records its input.
final class ScriptedConnection: TCPConnectionOwner {
    let tcp: TCPConnection
    private unowned let server: ScriptedServer
    private let loop: UVLoop
    private var script: ArraySlice<Step>
    private(set) var tls: TLSSession?
    private var parser = UpgradeRequestParser()
    private var decoder = MessageReader(role: .server)
    private var isDeaf = false
    private var isReading = true
    /// The script goes on at the next turn of the loop.
    private var isWaitingForTurn = false
    private var plaintext: [UInt8] = []
    private var drip: ArraySlice<UInt8> = []
    private var awaited = (messages: 0, pongs: 0)

    private(set) var requests: [UpgradeRequestHead] = []
    private(set) var messages: [[UInt8]] = []
    private(set) var pongs: [[UInt8]] = []
    private(set) var closeCodes: [CloseCode?] = []
    private(set) var hadCloseNotify = false
    /// "EOF", "done" or the name of an error.
    private(set) var ending: String?

    init(_ tcp: TCPConnection, server: ScriptedServer, script: [Step]) {
        self.tcp = tcp
        self.server = server
        loop = tcp.loop
        self.script = script[...]
    }

    deinit { tcp.close() }

    func start() {
        unsafe tcp.owner = self
        if case .deaf = script.first { isDeaf = true }
        if let context = server.context { tls = try? TLSSession(serverOn: context) }
        if !isDeaf { tcp.startReading() }
        advance()
    }

    /// Releases what the script captured.
    func forget() { script = [] }

    /// Checks again whether the script can continue.
    func look() { advance() }

    func clientDidFinish() {
        if isDeaf || !isReading { end("done") }
    }

    // MARK: - The script

    private func advance() {
        while ending == nil, !isWaitingForTurn, let step = script.first, isDue(step) {
            script.removeFirst()
            perform(step)
        }
    }

    /// Whether the event that the step waits for has occurred.
    private func isDue(_ step: Step) -> Bool {
        let isWaiting: Bool
        switch step {
        case .request: isWaiting = requests.isEmpty
        case .message: isWaiting = messages.count <= awaited.messages
        case .pong: isWaiting = pongs.count <= awaited.pongs
        case .closeFrame: isWaiting = closeCodes.isEmpty
        case .clientEnd: isWaiting = true
        case .until(let isSo): isWaiting = !isSo()
        case .accept, .confirm, .notify, .text, .frame, .close, .bytes, .startReading: return drip.isEmpty
        case .deaf, .bare, .turn, .stopReading, .act, .closeNotify, .fin, .reset: isWaiting = false
        }
        flush()
        return !isWaiting && drip.isEmpty
    }

    private func perform(_ step: Step) {
        switch step {
        case .request, .closeFrame, .clientEnd, .until, .deaf: break
        case .message: awaited.messages += 1
        case .pong: awaited.pongs += 1
        case .accept: accept()
        case .confirm: confirm()
        case .notify(let number): plaintext += serverFrame(.text, Array(notification(number).utf8))
        case .text(let text): plaintext += serverFrame(.text, Array(text.utf8))
        case .frame(let opcode, let payload): plaintext += serverFrame(opcode, payload)
        case .close(let code, let reason):
            FrameEncoder.appendClose(code, reason: reason, maskingKey: nil, to: &plaintext)
        case .bytes(let bytes): plaintext += bytes
        case .bare(let bytes): write(bytes)
        case .turn: takeTurn()
        case .stopReading:
            isReading = false
            tcp.stopReading()
        case .startReading:
            isReading = true
            tcp.startReading()
        case .act(let body): body()
        case .closeNotify:
            tls?.sendCloseNotify()
            flush()
        case .fin: tcp.shutdown()
        case .reset:
            tcp.abort()
            end("reset")
        }
    }

    private func accept() {
        guard let key = requests.last?.key else { return }
        plaintext += (try? UpgradeResponse.accept(acceptValue: HandshakeKey.accept(for: key))) ?? []
    }

    private func confirm() {
        let text = String(decoding: messages.last ?? [], as: UTF8.self)
        let id = text.components(separatedBy: #""correlationId":""#).last?.prefix { $0 != "\"" } ?? ""
        let reply = #"{"correlationId":"\#(id)","topics":[],"result":"200","status":"subscribe success"}"#
        plaintext += serverFrame(.text, Array(reply.utf8))
    }

    // MARK: - Output

    private func flush() {
        guard let tls else {
            write(plaintext)
            return plaintext = []
        }
        if tls.isEstablished, !plaintext.isEmpty {
            try? tls.write(plaintext.span)
            plaintext = []
        }
        write(tls.takeOutgoing())
    }

    private func write(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        guard server.chunk < Int.max else { return tcp.write(bytes) }
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
        if !drip.isEmpty {
            tcp.write(Array(drip.prefix(server.chunk)))
            drip = drip.dropFirst(server.chunk)
            if !drip.isEmpty { return takeTurn() }
        }
        advance()
    }

    // MARK: - Input

    func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer) {
        guard let tls else {
            unsafe receive([UInt8](bytes))
            return advance()
        }
        // The loop lends the bytes for the call; the array is alive during it.
        unsafe tls.lend(bytes)
        do throws(TLSError) {
            if try tls.handshake() { try decrypt(tls) }
        } catch {
            flush()
            return end("\(error.fault)")
        }
        _ = tls.takeBack()
        flush()
        advance()
    }

    private func decrypt(_ tls: TLSSession) throws(TLSError) {
        while true {
            switch try unsafe tls.read(into: loop.plaintextBuffer) {
            case .bytes(let count): unsafe receive([UInt8](loop.plaintextBuffer[..<count]))
            case .needMore: return
            case .closeNotify:
                hadCloseNotify = true
                return
            }
        }
    }

    private func receive(_ bytes: [UInt8]) {
        var offset = 0
        if requests.isEmpty {
            guard case .complete(let head, let consumed)? = try? parser.receive(bytes.span) else { return }
            requests.append(head)
            offset = consumed
        }
        while offset < bytes.count {
            guard let event = try? decoder.next(in: bytes.span, at: &offset) else { return end("violation") }
            switch event {
            case .needMore: return
            case .message(_, let range): messages.append(Array(bytes[range]))
            case .assembledMessage: messages.append(decoder.takeMessage())
            case .ping: break
            case .pong: pongs.append(decoder.controlPayload)
            case .close(let code): closeCodes.append(code)
            }
        }
    }

    // MARK: - The end

    func connectionDidReachEOF(_ connection: TCPConnection) { end("EOF") }

    func connection(_ connection: TCPConnection, didFailWith error: UVError) { end(error.name) }

    func connectionDidDrain(_ connection: TCPConnection) {}

    func connectionDidConnect(_ connection: TCPConnection) {}

    func connection(_ connection: TCPConnection, didFailToConnect error: UVError) {}

    private func end(_ how: String) {
        guard ending == nil else { return }
        ending = how
        tcp.close()
        server.connectionDidEnd()
    }
}
