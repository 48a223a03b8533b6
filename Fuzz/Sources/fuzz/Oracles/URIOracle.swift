import GenesysLoop
import ServerKit

/// A URI, and the request made of it.
///
/// Input: lines; the first is the URI, the others are headers if they hold a colon, otherwise subprotocols.
enum URIOracle {
    private static let key = "dGhlIHNhbXBsZSBub25jZQ=="

    static func complaint(about input: [UInt8]) -> String? {
        let lines = input.split(separator: 0x0A, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        let uri: WebSocketURI
        do throws(InvalidURI) {
            uri = try WebSocketURI(lines[0])
        } catch {
            return "\(error)".isEmpty ? "no sentence" : nil
        }
        if let complaint = complaint(about: uri, from: lines[0]) { return complaint }
        var headers: [(String, String)] = []
        var subprotocols: [String] = []
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if parts.count == 2 { headers.append((parts[0], parts[1])) } else { subprotocols.append(line) }
        }
        let request = Result { () throws(InvalidHeader) in
            try UpgradeRequest.encode(
                uri: uri, key: key, subprotocols: subprotocols, deflate: DeflateOffer(DeflateParameters()),
                extraHeaders: headers)
        }
        switch request {
        case .success(let bytes): return complaint(about: bytes, uri, headers, subprotocols)
        case .failure(let error): return "\(error)".isEmpty ? "no sentence" : nil
        }
    }

    /// Assembled again, the URI is the same, and its printed form hides the secret.
    private static func complaint(about uri: WebSocketURI, from text: String) -> String? {
        let start = "\(uri.isSecure ? "wss" : "ws")://\(uri.authority)"
        let again = Result { () throws(InvalidURI) in try WebSocketURI(start + uri.target) }
        guard again == .success(uri) else { return "\(text) becomes \(start)\(uri.target)" }
        guard uri.description == start + "/…", uri.debugDescription == uri.description else {
            return "it prints as \(uri.description)"
        }
        guard uri.target.hasPrefix("/"), text.hasSuffix(uri.target.dropFirst()) else {
            return "the target of \(text) is \(uri.target)"
        }
        // RFC 6874 §4.
        guard !uri.hostHeader.contains("%") else { return "the header of \(text) is \(uri.hostHeader)" }
        let isNamed = uri.host == "localhost" || uri.host.hasPrefix("127.") || uri.isIPv6Literal
        return uri.isLoopback && !isNamed ? "\(uri.host) is taken for this machine" : nil
    }

    /// A server reads from the request exactly what was put into it.
    private static func complaint(
        about request: [UInt8], _ uri: WebSocketURI, _ headers: [(String, String)], _ subprotocols: [String]
    ) -> String? {
        guard request.count <= 16_384 else { return nil }
        var parser = UpgradeRequestParser()
        do throws(UpgradeRequestError) {
            guard case .complete(let head, request.count) = try parser.receive(request.span) else {
                return "another head ends in \(String(excerpt: request))"
            }
            try head.checkUpgrade()
            guard head.target == uri.target, head.host == uri.hostHeader, head.key == key,
                head.subprotocols == subprotocols
            else { return "the request reads as \(head)" }
            guard try DeflateAnswer.accept(head.extensions)?.parameters == DeflateParameters() else {
                return "our own offer is not accepted"
            }
            for (name, value) in headers {
                let blanks: Set<UInt8> = [0x20, 0x09]
                let bytes = Array(value.utf8).drop(while: blanks.contains).reversed().drop(while: blanks.contains)
                let trimmed = String(decoding: bytes.reversed(), as: UTF8.self)
                guard head.fields.values(of: name.lowercased()).contains(trimmed) else {
                    return "the header \(String(reflecting: name)) is lost"
                }
            }
        } catch {
            return "our own request is refused: \(error)"
        }
        return nil
    }
}
