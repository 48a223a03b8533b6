import GenesysLoop
import ServerKit

/// A server on the loop of the test that answers what a test says.
final class FakeRedis: TCPListenerOwner {
    enum Answer {
        /// These bytes, to the first input.
        case bytes([UInt8])
        /// These bytes, and then the end of the connection.
        case last([UInt8])
        /// The end at once.
        case end, reset
        case silence

        static func text(_ text: String) -> Answer { .bytes(Array(text.utf8)) }
    }

    /// The replies to the commands of a new connection, without a user and a database.
    static let greeting = [
        "+OK\r\n", "$0\r\n\r\n", "*0\r\n", "*0\r\n", "*0\r\n", "*0\r\n", "*0\r\n", "$3\r\nsha\r\n", "+none\r\n",
        "*5\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n",
    ]

    private let listener: TCPListener
    private var connections: [Connection] = []
    private(set) var acceptCount = 0
    var answer: Answer

    init(on loop: UVLoop, _ answer: Answer) throws {
        self.answer = answer
        listener = TCPListener(loop: loop, group: HandleGroup(loop: loop))
        unsafe listener.owner = self
        try listener.bind()
    }

    var port: UInt16 { listener.localPort }

    func close() {
        listener.close()
        connections = []
    }

    func listener(_ listener: TCPListener, didAccept connection: TCPConnection) {
        acceptCount += 1
        switch answer {
        case .end: connection.close()
        case .reset: connection.abort()
        case .bytes, .last, .silence: connections.append(Connection(connection, answer))
        }
    }

    func listener(_ listener: TCPListener, didFailWith error: UVError) {}

    private final class Connection: TCPConnectionOwner {
        private let tcp: TCPConnection
        private var answer: Answer

        init(_ tcp: TCPConnection, _ answer: Answer) {
            self.tcp = tcp
            self.answer = answer
            unsafe tcp.owner = self
            tcp.startReading()
        }

        func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer) {
            switch answer {
            case .bytes(let bytes): tcp.write(bytes)
            case .last(let bytes):
                tcp.write(bytes)
                tcp.shutdown()
            case .end, .reset, .silence: break
            }
            answer = .silence
        }

        func connectionDidReachEOF(_ connection: TCPConnection) { tcp.close() }
        func connection(_ connection: TCPConnection, didFailWith error: UVError) {}
        func connectionDidDrain(_ connection: TCPConnection) {}
    }
}

extension RedisServer {
    /// Starts a server with free ports: with others if another process takes one before the server does.
    static func withPorts(
        _ count: Int, on loop: UVLoop, _ arguments: ([UInt16]) -> [String]
    ) throws -> (RedisServer, [UInt16]) {
        var failure: any Error = CancellationError()
        for _ in 0..<10 {
            let fakes = try (0..<count).map { _ in try FakeRedis(on: loop, .silence) }
            let ports = fakes.map(\.port)
            for fake in fakes { fake.close() }
            loop.run()
            do {
                return (try RedisServer(arguments: arguments(ports)), ports)
            } catch {
                failure = error
            }
        }
        throw failure
    }
}
