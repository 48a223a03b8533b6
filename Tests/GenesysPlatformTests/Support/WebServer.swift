import Foundation
import ServerKit
import Testing

@testable import GenesysLoop

/// An HTTP server on the loop under test. A closure says what it does for each request.
final class WebServer: TCPListenerOwner {
    /// A request as it arrived.
    struct Request {
        let method: String
        let target: String
        /// The names are in lower case.
        let headers: [String: String]
        let body: String
        /// The number of its connection, from 0.
        let connection: Int
    }

    /// The next action for a request. Without any, the request is not answered.
    enum Step {
        case text(String)
        /// The next steps come in a later turn of the loop, after at least this time.
        case wait(Duration)
        case closeNotify, fin, reset
        /// Calls a closure.
        case act(() -> Void)
        /// Relays to another server on loopback from here on.
        case tunnel(UInt16)
    }

    /// Made once: making it takes longer than a test.
    static let identity = Result {
        let authority = try CertificateAuthority()
        return (authority: authority, server: try authority.issue(CertificateRequest(names: [.dns("api.test")])))
    }

    let loop: UVLoop
    let port: UInt16
    let context: TLSContext?
    /// Whether it reads nothing: no request, no TLS.
    var isDeaf = false
    fileprivate let answer: (Request) -> [Step]
    private let listener: TCPListener
    private(set) var connections: [WebConnection] = []
    fileprivate(set) var requests: [Request] = []
    fileprivate(set) var openCount = 0

    init(
        _ loop: UVLoop, tls: Bool = true, context: TLSContext? = nil, answer: @escaping (Request) -> [Step]
    ) throws {
        self.loop = loop
        self.answer = answer
        let identity = try WebServer.identity.get().server
        self.context =
            try context ?? (tls ? TLSContext(server: identity.chainPEM, keyPEM: identity.keyPEM) : nil)
        listener = TCPListener(loop: loop, group: HandleGroup(loop: loop))
        try listener.bind()
        port = listener.localPort
        unsafe listener.owner = self
    }

    deinit { close() }

    /// What a client must trust.
    static func trust() throws -> TLSConfiguration {
        TLSConfiguration(trust: .pem(try identity.get().authority.certificatePEM))
    }

    /// A URL of the server, by a name that only the tests' resolver knows.
    func url(_ target: String = "/api/v2/planted-path-5151", host: String = "api.test") -> String {
        "\(context == nil ? "http" : "https")://\(context == nil ? "127.0.0.1" : host):\(port)\(target)"
    }

    /// Ends all connections, and frees the port.
    func close() {
        listener.close()
        for connection in connections { connection.close() }
        connections = []
    }

    func listener(_ listener: TCPListener, didAccept connection: TCPConnection) {
        let made = WebConnection(connection, number: connections.count, server: self)
        connections.append(made)
        made.start()
    }

    func listener(_ listener: TCPListener, didFailWith error: UVError) { Issue.record("\(error)") }

    /// An answer with a length.
    static func answer(_ status: String = "200 OK", _ headers: String..., body: String = "{}") -> Step {
        let lines = ["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)"] + headers
        return .text(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
    }
}

/// The server's end of a connection.
final class WebConnection: TCPConnectionOwner {
    private let tcp: TCPConnection
    private let number: Int
    private weak var server: WebServer?
    private var tls: TLSSession?
    private var input: [UInt8] = []
    private var steps: ArraySlice<WebServer.Step> = []
    private var plaintext: [UInt8] = []
    private var tunnel: Tunnel?
    private var isOpen = true
    private var isWaiting = false

    init(_ tcp: TCPConnection, number: Int, server: WebServer) {
        self.tcp = tcp
        self.number = number
        self.server = server
        server.openCount += 1
    }

    func start() {
        unsafe tcp.owner = self
        guard let server, !server.isDeaf else { return }
        if let context = server.context { tls = try? TLSSession(serverOn: context) }
        tcp.startReading()
    }

    func close() {
        guard isOpen else { return }
        isOpen = false
        server?.openCount -= 1
        steps = []
        tunnel?.close()
        tunnel = nil
        tcp.close()
    }

    // MARK: - Input

    func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer) {
        guard let tls else { return unsafe take([UInt8](bytes)) }
        // The loop lends the bytes for the call.
        unsafe tls.lend(bytes)
        do throws(TLSError) {
            if try tls.handshake() { try decrypt(tls) }
        } catch {
            flush()
            return close()
        }
        _ = tls.takeBack()
        flush()
    }

    private func decrypt(_ tls: TLSSession) throws(TLSError) {
        while isOpen {
            switch try unsafe tls.read(into: tcp.loop.plaintextBuffer) {
            case .bytes(let count): unsafe take([UInt8](tcp.loop.plaintextBuffer[..<count]))
            case .needMore, .closeNotify: return
            }
        }
    }

    private func take(_ bytes: [UInt8]) {
        if let tunnel { return tunnel.send(bytes) }
        input += bytes
        while let request = nextRequest() {
            server?.requests.append(request)
            steps += server?.answer(request) ?? []
        }
        advance()
    }

    private func nextRequest() -> WebServer.Request? {
        let text = String(decoding: input, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ").map(String.init)
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            headers[parts[0].lowercased()] = parts.dropFirst().first?.trimmingCharacters(in: .whitespaces) ?? ""
        }
        let start = text[..<end.upperBound].utf8.count
        let count = headers["content-length"].flatMap { Int($0) } ?? 0
        guard input.count >= start + count else { return nil }
        let body = String(decoding: input[start..<(start + count)], as: UTF8.self)
        input.removeFirst(start + count)
        return WebServer.Request(
            method: words.first ?? "", target: words.dropFirst().first ?? "", headers: headers, body: body,
            connection: number)
    }

    // MARK: - Output

    private func advance() {
        while isOpen, !isWaiting, let step = steps.popFirst() { perform(step) }
        flush()
    }

    private func perform(_ step: WebServer.Step) {
        switch step {
        case .text(let text): plaintext += text.utf8
        case .act(let body): body()
        case .wait(let time):
            flush()
            isWaiting = true
            tcp.loop.schedule(after: time) { [weak self] in
                self?.isWaiting = false
                self?.advance()
            }
        case .closeNotify:
            flush()
            tls?.sendCloseNotify()
        case .fin:
            flush()
            tcp.shutdown()
        case .reset:
            flush()
            tcp.abort()
            close()
        case .tunnel(let port):
            tunnel = Tunnel(to: port, loop: tcp.loop) { [weak self] bytes in
                self?.plaintext += bytes
                self?.flush()
            }
        }
    }

    private func flush() {
        guard isOpen else { return }
        guard let tls else {
            if !plaintext.isEmpty { tcp.write(plaintext) }
            return plaintext = []
        }
        if tls.isEstablished, !plaintext.isEmpty {
            try? tls.write(plaintext.span)
            plaintext = []
        }
        let ciphertext = tls.takeOutgoing()
        if !ciphertext.isEmpty { tcp.write(ciphertext) }
    }

    func connectionDidReachEOF(_ connection: TCPConnection) { close() }
    func connection(_ connection: TCPConnection, didFailWith error: UVError) { close() }
    func connectionDidDrain(_ connection: TCPConnection) {}
}

/// A proxy's connection to a server.
final class Tunnel: TCPConnectionOwner {
    private let tcp: TCPConnection
    private let receive: ([UInt8]) -> Void
    private var early: [UInt8] = []
    private var isConnected = false

    init(to port: UInt16, loop: UVLoop, receive: @escaping ([UInt8]) -> Void) {
        self.receive = receive
        tcp = TCPConnection(loop: loop, group: HandleGroup(loop: loop))
        unsafe tcp.owner = self
        if let address = SocketAddress(numeric: "127.0.0.1", port: port) { tcp.connect(to: address) }
    }

    deinit { tcp.close() }

    func send(_ bytes: [UInt8]) {
        if isConnected { tcp.write(bytes) } else { early += bytes }
    }

    func close() { tcp.close() }

    func connectionDidConnect(_ connection: TCPConnection) {
        isConnected = true
        tcp.startReading()
        if !early.isEmpty { tcp.write(early) }
    }

    func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer) {
        unsafe receive([UInt8](bytes))
    }

    func connectionDidReachEOF(_ connection: TCPConnection) { tcp.close() }
    func connection(_ connection: TCPConnection, didFailWith error: UVError) {}
    func connectionDidDrain(_ connection: TCPConnection) {}
}
