internal import GenesysLoop
internal import ServerKit

/// Answers of the REST side as bytes (RFC 9112).
extension SimulatedService.RESTAnswer {
    /// - Parameters:
    ///   - wire: version, framing, and the case of names.
    ///   - saysClose: whether the answer announces the end of the connection.
    ///   - omitsBody: the request was HEAD (RFC 9110 §9.3.2).
    func bytes(
        _ wire: SimulatedService.Configuration.Wire, saysClose: Bool, omitsBody: Bool
    ) throws(InvalidHeader) -> [UInt8] {
        var fields: [(String, String)] = []
        if !body.isEmpty, !contentType.isEmpty { fields.append(("Content-Type", contentType)) }
        fields += headers.map { ($0.name, $0.value) }
        let isChunked = wire.isChunked && !wire.isHTTP10 && status != 204
        if isChunked {
            fields.append(("Transfer-Encoding", "chunked"))
        } else if status != 204, !wire.isHTTP10 {
            // RFC 9110 §8.6: a 204 has no length.
            fields.append(("Content-Length", "\(body.count)"))
        }
        if saysClose { fields.append(("Connection", "close")) }
        var bytes = Array("HTTP/1.\(wire.isHTTP10 ? 0 : 1) \(status) \(StatusLine.phrase(status))\r\n".utf8)
        for (name, value) in fields {
            try HeaderField.append(wire.lowercasesNames ? name.lowercased() : name, value, to: &bytes)
        }
        bytes += Array("\r\n".utf8)
        guard !omitsBody, status != 204 else { return bytes }
        let content = isChunked ? chunkedBody : body
        return bytes + (delivery == .half ? content.prefix(content.count / 2) : content[...])
    }

    /// RFC 9112 §7.1: at least two chunks, where the body has two bytes.
    private var chunkedBody: [UInt8] {
        let size = max(1, min(16_384, (body.count + 1) / 2))
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: body.count, by: size) {
            let chunk = body[start..<min(body.count, start + size)]
            bytes += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + Array("\r\n".utf8)
        }
        return bytes + Array("0\r\n\r\n".utf8)
    }
}
