import ServerKit
import Testing

@testable import GenesysLoop

/// A SOCKS5 proxy on the loop under test (RFC 1928, RFC 1929). It connects to one server, whatever is asked for.
final class SOCKSServer: TCPListenerOwner {
    let port: UInt16
    /// The reply to a request; 0 opens the tunnel.
    var reply: UInt8 = 0
    /// The user and the password that it requires; nil for none.
    var credentials: String?
    /// The methods that it accepts none of.
    var refusesAllMethods = false
    fileprivate let target: UInt16
    private let listener: TCPListener
    fileprivate(set) var requests: [String] = []
    private var connections: [SOCKSConnection] = []

    init(_ loop: UVLoop, target: UInt16) throws {
        self.target = target
        listener = TCPListener(loop: loop, group: HandleGroup(loop: loop))
        try listener.bind()
        port = listener.localPort
        unsafe listener.owner = self
    }

    deinit { close() }

    func close() {
        listener.close()
        for connection in connections { connection.close() }
        connections = []
    }

    func listener(_ listener: TCPListener, didAccept connection: TCPConnection) {
        let made = SOCKSConnection(connection, proxy: self)
        connections.append(made)
        unsafe connection.owner = made
        connection.startReading()
    }

    func listener(_ listener: TCPListener, didFailWith error: UVError) { Issue.record("\(error)") }
}

private final class SOCKSConnection: TCPConnectionOwner {
    private enum State { case methods, password, request, open }

    private let tcp: TCPConnection
    private weak var proxy: SOCKSServer?
    private var state: State = .methods
    private var input: [UInt8] = []
    private var tunnel: Tunnel?

    init(_ tcp: TCPConnection, proxy: SOCKSServer) {
        self.tcp = tcp
        self.proxy = proxy
    }

    func close() {
        tunnel?.close()
        tunnel = nil
        tcp.close()
    }

    func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer) {
        input += unsafe [UInt8](bytes)
        while let proxy, step(proxy) {}
    }

    /// - Returns: whether there may be more to do.
    private func step(_ proxy: SOCKSServer) -> Bool {
        switch state {
        case .methods:
            guard input.count >= 2, input.count >= 2 + Int(input[1]) else { return false }
            let methods = input[2..<(2 + Int(input[1]))]
            input.removeFirst(2 + methods.count)
            let wanted: UInt8 = proxy.credentials == nil ? 0 : 2
            let isAcceptable = !proxy.refusesAllMethods && methods.contains(wanted)
            tcp.write([5, isAcceptable ? wanted : 0xFF])
            state = wanted == 2 ? .password : .request
        case .password:
            guard input.count >= 2, input.count >= 3 + Int(input[1]) else { return false }
            let user = input[2..<(2 + Int(input[1]))]
            let start = 3 + user.count
            guard input.count >= start + Int(input[start - 1]) else { return false }
            let password = input[start..<(start + Int(input[start - 1]))]
            let given = String(decoding: user + [0x3A] + password, as: UTF8.self)
            input.removeFirst(start + password.count)
            tcp.write([1, given == proxy.credentials ? 0 : 1])
            state = .request
        case .request:
            // A name: version, command, reserved, type, length, name, port.
            guard input.count >= 5, input[3] == 3, input.count >= 7 + Int(input[4]) else { return false }
            proxy.requests.append(String(decoding: input[5..<(5 + Int(input[4]))], as: UTF8.self))
            input.removeFirst(7 + Int(input[4]))
            tcp.write([5, proxy.reply, 0, 1, 127, 0, 0, 1, 0, 80])
            guard proxy.reply == 0 else { return false }
            state = .open
            tunnel = Tunnel(to: proxy.target, loop: tcp.loop) { [weak tcp] in tcp?.write($0) }
        case .open:
            guard !input.isEmpty else { return false }
            tunnel?.send(input)
            input = []
        }
        return true
    }

    func connectionDidReachEOF(_ connection: TCPConnection) { close() }
    func connection(_ connection: TCPConnection, didFailWith error: UVError) { close() }
    func connectionDidDrain(_ connection: TCPConnection) {}
}
