/// Removes secrets from what a peer says: servers often repeat the request.
package struct SecretFilter: Sendable {
    /// The replacement for a secret.
    private static let replacement = Array("…".utf8)
    /// A shorter text is not treated as a secret: it may be part of any word.
    private static let minByteCount = 4
    /// A secret of at least this length is also found inside words.
    private static let minInnerByteCount = 8

    /// In lower case, the longest first.
    private let secrets: [[UInt8]]

    package init(_ secrets: [[UInt8]]) {
        let known = Set(secrets.filter { $0.count >= SecretFilter.minByteCount }.map { ASCII.lowercased($0) })
        self.secrets = known.sorted { $0.count > $1.count }
    }

    /// The text without secrets, ignoring case; also without the beginning of a secret at its end, where the text may
    /// be cut.
    package func filtered(_ text: String) -> String {
        guard !secrets.isEmpty else { return text }
        let bytes = Array(text.utf8)
        let lowered = ASCII.lowercased(bytes)
        var kept: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if let length = length(at: index, in: lowered) {
                kept += SecretFilter.replacement
                index += length
            } else {
                kept.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: kept, as: UTF8.self)
    }

    /// How many bytes from `index` on are a secret, or the cut beginning of one.
    private func length(at index: Int, in text: [UInt8]) -> Int? {
        let rest = text[index...]
        for secret in secrets {
            if rest.starts(with: secret) {
                let end = index + secret.count
                let isWord =
                    (index == 0 || !ASCII.isAlphanumeric(text[index - 1]))
                    && (end == text.count || !ASCII.isAlphanumeric(text[end]))
                if isWord || secret.count >= SecretFilter.minInnerByteCount { return secret.count }
            } else if rest.count >= SecretFilter.minInnerByteCount, rest.count < secret.count, secret.starts(with: rest)
            {
                return rest.count
            }
        }
        return nil
    }
}

extension WebSocketURI {
    /// The possible secrets of this URI: path and query, and those of their parts that are not plain words.
    package var secretFilter: SecretFilter {
        let target = Array(target.utf8)
        let path = target.prefix { $0 != .questionMark }
        let query = target[path.endIndex...].dropFirst()
        let segments = path.split(separator: .slash)
        let values = query.split { $0 == UInt8(ascii: "&") || $0 == UInt8(ascii: "=") }
        // `channels` in `/channels/…` is the service's own word; the last part identifies someone or something.
        let names = segments.filter { $0.count >= 16 || !$0.allSatisfy { (0x61...0x7A).contains($0 | 0x20) } }
        let parts = [target[...], path, query] + names + segments.suffix(1) + values
        return SecretFilter(parts.flatMap { [Array($0), ASCII.percentDecoded($0)] })
    }
}
