internal import COpenSSL

/// The nonce of a WebSocket upgrade and the value that proves that the server read it (RFC 6455 §4.1, §4.2.2).
package enum HandshakeKey {
    private static let suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// A fresh `Sec-WebSocket-Key`: 16 random bytes in Base64.
    package static func make() -> String {
        base64((0..<16).map { _ in UInt8.random(in: .min ... .max) })
    }

    /// The `Sec-WebSocket-Accept` for a key: Base64 of the SHA-1 of the key and the suffix.
    package static func accept(for key: String) -> String {
        let text = Array((key + suffix).utf8)
        var digest = [UInt8](repeating: 0, count: Int(SHA_DIGEST_LENGTH))
        // Both arrays are alive for the call, and the digest has the length that SHA-1 writes.
        _ = unsafe SHA1(text, text.count, &digest)
        return base64(digest)
    }

    /// Base64 with padding (RFC 4648 §4).
    package static func base64(_ bytes: [UInt8]) -> String {
        var encoded = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        // EVP_EncodeBlock writes 4 characters for each 3 bytes and a closing zero.
        let count = unsafe EVP_EncodeBlock(&encoded, bytes, Int32(bytes.count))
        return String(decoding: encoded.prefix(Int(count)), as: UTF8.self)
    }

    /// The bytes of a Base64 text with padding (RFC 4648 §4); nil for anything else.
    static func bytes(ofBase64 text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard !digits.isEmpty, digits.count % 4 == 0, digits.count < 1_024 else { return nil }
        // EVP_DecodeBlock would skip white space at both ends.
        guard digits.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        let padding = digits.suffix(2).count { $0 == UInt8(ascii: "=") }
        var bytes = [UInt8](repeating: 0, count: digits.count / 4 * 3)
        // It writes 3 bytes for each 4 characters, zeros for the padding.
        let count = unsafe EVP_DecodeBlock(&bytes, digits, Int32(digits.count))
        ErrorQueue.clear()
        return count == Int32(bytes.count) ? Array(bytes.dropLast(padding)) : nil
    }
}
