@testable import GenesysLoop

/// The sender's half of permessage-deflate: with zlib, or with stored blocks that need no zlib.
struct StreamCompressor {
    private let windowBits: Int
    private let keepsContext: Bool
    private let storesOnly: Bool
    /// The content of the window: all that was compressed before.
    private var before: [[UInt8]] = []

    init(_ deflate: DeflateParameters, receiver: WebSocketRole, storesOnly: Bool) {
        windowBits = deflate.receivedWindowBits(by: receiver)
        keepsContext = deflate.keepsReceivedContext(for: receiver)
        self.storesOnly = storesOnly
    }

    /// The payload of a message; nil if it must be sent uncompressed.
    mutating func compressed(_ message: [UInt8]) -> [UInt8]? {
        if storesOnly { return Self.stored(message) + [0x00] }
        // A deflater cannot be copied but a generator can: the window is rebuilt.
        var deflater = Deflater(windowBits: windowBits, keepsContext: keepsContext)
        if keepsContext {
            for message in before { _ = deflater.deflate(message.span) }
            before.append(message)
        }
        return deflater.deflate(message.span)
    }

    /// A block of the first type, at most 65,535 bytes (RFC 1951 §3.2.4).
    static func stored(_ bytes: [UInt8]) -> [UInt8] {
        let length = UInt16(bytes.count)
        let (low, high) = (UInt8(length & 0xFF), UInt8(length >> 8))
        return [0x00, low, high, ~low, ~high] + bytes
    }
}
