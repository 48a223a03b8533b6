import Foundation
import GenesysLoop
import Testing

/// What the client does with every peer.
enum InteropChecks {
    private static let sizes = [0, 1, 125, 126, 65_535, 65_536, 1_048_576]
    private static let texts = ["", "ASCII", "żółw, 日本語, 🎉🇩🇪, \u{10FFFF}, \0 and \u{FEFF}", "{\"topicName\":\"v2.a\"}"]

    /// The messages that the peer must echo.
    private static let messages: [Conversation.Event] =
        sizes.flatMap { [.binary(pattern($0)), .text(String(decoding: pattern($0), as: UTF8.self))] }
        + texts.map { .text($0) }
        // Characters of every width across the boundaries of reads, frames and fragments.
        + [.text(String(repeating: "aé語🎉", count: 40_000))]

    /// Varying bytes, so that a misplaced byte is detected.
    private static func pattern(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8($0 % 251 % 94 + 32) }
    }

    private static func send(_ message: Conversation.Event, _ client: WebSocketClient) throws {
        switch message {
        case .text(let text): #expect(try client.send(text: text) == .sent)
        case .binary(let bytes): #expect(try client.send(binary: bytes) == .sent)
        default: Issue.record("\(message) is no message")
        }
    }

    /// Sends all messages, each after the echo of the previous one, and closes.
    private static func echo(
        _ peer: EchoPeer, path: String, _ messages: [Conversation.Event], compression: Compression? = nil,
        isCompressed: Bool = false
    ) throws {
        var rest = messages[...]
        var configuration = WebSocketClientConfiguration()
        configuration.compression = compression
        let events = try Conversation.hold(with: peer, path: path, configuration: configuration) { event, client in
            if case .closed = event { return }
            #expect(client.isCompressed == isCompressed)
            guard let message = rest.popFirst() else { return try client.close(.normal, reason: "sagt tschüß") }
            try send(message, client)
        }
        let isSame = events == [.opened] + messages + [.closed(.normal, "sagt tschüß")]
        let failure = events.last.map { "\($0)" } ?? "nothing"
        #expect(isSame, "\(events.count) events, the last one \(failure.prefix(200))")
    }

    /// Echoes of every size and kind of message equal the messages.
    static func echoMessages(with library: EchoPeer.Library) async throws {
        try await Slots.taken {
            let peer = try await EchoPeer(library)
            try echo(peer, path: "/echo", messages)
            #expect(try await peer.report() == .init(code: 1000, reason: "sagt tschüß", extensions: ""))
            try await peer.end()
        }
    }

    /// Messages come back in fragments, with pings in between.
    static func receiveFragments(with library: EchoPeer.Library) async throws {
        try await Slots.taken {
            let peer = try await EchoPeer(library)
            try echo(peer, path: "/fragments", messages)
            try await peer.end()
        }
    }

    /// Pings are answered in both directions.
    static func exchangePings(with library: EchoPeer.Library) async throws {
        try await Slots.taken {
            let peer = try await EchoPeer(library)
            let longest = [UInt8](repeating: 7, count: WebSocketClient.maxPingByteCount)
            let answered = Conversation.Event.text("are you there 👋")
            // Only the message after our pong shows that the peer sent a ping.
            let events = try Conversation.hold(with: peer, path: "/ping") { event, client in
                if event == answered { try client.ping() }
                if event == .pong([]) { try client.ping(longest) }
                if event == .pong(longest) { client.close() }
            }
            #expect(events == [.opened, answered, .pong([]), .pong(longest), .closed(.normal, "")])
            #expect(try await peer.report().code == 1000)
            try await peer.end()
        }
    }

    private static let closes: [(code: UInt16, reason: String)] = [
        (1000, ""), (1001, "über und über"), (1011, "x"), (3000, ""), (4999, String(repeating: "é", count: 61)),
    ]

    /// The peer's code and reason arrive here, and ours arrive there.
    static func exchangeCloses(with library: EchoPeer.Library) async throws {
        try await Slots.taken {
            let peer = try await EchoPeer(library)
            for (code, reason) in closes {
                let query = reason.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
                let events = try Conversation.hold(with: peer, path: "/close?code=\(code)&reason=\(query)") {
                    if case .opened = $0 { try send(.text("close, please"), $1) }
                }
                #expect(events == [.opened, .closed(CloseCode(rawValue: code), reason)])
                #expect(try await peer.report().code == code)
            }
            for (code, reason) in closes where CloseCode(rawValue: code).isSendable {
                let events = try Conversation.hold(with: peer, path: "/echo") {
                    if case .opened = $0 { try $1.close(CloseCode(rawValue: code), reason: reason) }
                }
                #expect(events == [.opened, .closed(CloseCode(rawValue: code), reason)])
                #expect(try await peer.report() == .init(code: code, reason: reason, extensions: ""))
            }
            try await peer.end()
        }
    }

    /// Every kind of message except the largest, because these are sent in many ways.
    private static let someMessages = messages.filter {
        if case .binary(let bytes) = $0 { bytes.count < 1 << 20 } else { true }
    }

    /// Valid offers.
    private static let offers: [Compression] = {
        var fresh = Compression.permessageDeflate
        fresh.serverNoContextTakeover = true
        fresh.clientNoContextTakeover = true
        var small = Compression.permessageDeflate
        small.serverMaxWindowBits = 9
        small.clientMaxWindowBits = 9
        small.minimumMessageSize = 0
        return [.permessageDeflate, fresh, small]
    }()

    /// Messages are compressed in both directions, with every offer and every answer of a peer.
    static func echoCompressed(with library: EchoPeer.Library, answers: [String], fragments: Bool) async throws {
        try await Slots.taken {
            for answer in answers {
                let peer = try await EchoPeer(library, ["--deflate", answer])
                for (offer, path) in offers.flatMap({ [($0, "/echo"), ($0, "/fragments")] }) {
                    if path == "/fragments" && !fragments { continue }
                    try echo(peer, path: path, someMessages, compression: offer, isCompressed: true)
                    let report = try await peer.report()
                    #expect(report.code == 1000)
                    #expect(report.extensions.hasPrefix("permessage-deflate"), "\(report.extensions)")
                }
                try await peer.end()
            }
        }
    }

    /// Messages to a peer that declines are not compressed.
    static func echoDeclined(with library: EchoPeer.Library) async throws {
        try await Slots.taken {
            let peer = try await EchoPeer(library)
            try echo(peer, path: "/echo", someMessages, compression: .permessageDeflate)
            #expect(try await peer.report().extensions == "")
            try await peer.end()
        }
    }
}
