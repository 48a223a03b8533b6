import Foundation
import GenesysLoop

/// A server for one connection that sends what a test specifies, and records what it receives.
final class ScriptedPeer: Sendable {
    private let held: HeldPort
    private let collector: Locked<StreamCollector?> = Locked(nil)
    private let received = Locked("")

    /// The head of the request, once it has been answered.
    var request: String { received.withLock { $0 } }

    var uri: String { "ws://127.0.0.1:\(held.port)/" }

    /// Listens, and answers the request of the first client.
    ///
    /// - Parameters:
    ///   - head: the answer to a request with a key; a correct upgrade by default.
    ///   - bytes: sent after the head.
    ///   - isLast: whether the server then ends the connection; otherwise it waits for the client to do so.
    init(
        head: @escaping @Sendable (String) -> String = ScriptedPeer.acceptance, then bytes: [UInt8] = [],
        isLast: Bool = false
    ) throws {
        held = try HeldPort(listens: true)
        Thread.detachNewThread { [held, collector, received] in
            let handle = FileHandle(fileDescriptor: held.accept(), closeOnDealloc: true)
            var request = ""
            while !request.hasSuffix("\r\n\r\n") {
                let data = handle.availableData
                if data.isEmpty { return }
                request += String(decoding: data, as: UTF8.self)
            }
            received.withLock { [request] in $0 = request }
            let key =
                request.split(separator: "\r\n").first { $0.hasPrefix("Sec-WebSocket-Key: ") }?.dropFirst(19) ?? ""
            try? handle.write(contentsOf: Data(Array(head(String(key)).utf8) + bytes))
            if !isLast { collector.withLock { $0 = StreamCollector(handle) } }
        }
    }

    /// The client's data after the upgrade. The connection must have ended.
    func received() async -> [UInt8] {
        await collector.withLock { $0 }?.all() ?? []
    }

    static func acceptance(of key: String) -> String {
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Accept: \(HandshakeKey.accept(for: key))\r\n\r\n"
    }

    /// A frame as a server sends it.
    static func frame(_ opcode: Opcode, _ payload: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = []
        FrameEncoder.append(opcode, payload: payload, maskingKey: nil, to: &frame)
        return frame
    }
}
