/// The syntax of the host of a URI: a DNS name or an address.
package enum HostSyntax {
    /// Checks a name or an IPv4 address, in lower case.
    ///
    /// Labels of 1 to 63 letters, digits, hyphens and underscores; 253 bytes; one dot at the end is legal (RFC 1035
    /// §2.3.4). A host whose last label is a number has to be an IPv4 address of four decimal parts: resolvers read
    /// `127.1` and `0x7f.1` as addresses too, unlike a check of the text.
    static func checkName(_ host: [UInt8]) throws(InvalidURI) {
        if host.isEmpty { throw InvalidURI("The URI has no host.") }
        let name = host.last == .dot ? host.dropLast() : host[...]
        let labels = name.split(separator: .dot, omittingEmptySubsequences: false)
        guard name.count <= 253, labels.allSatisfy({ (1...63).contains($0.count) }) else {
            throw InvalidURI("The host of the URI has an empty or overlong part.")
        }
        let isName = name.allSatisfy { byte in
            ASCII.isAlphanumeric(byte) || byte == .dot || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
        }
        guard isName else { throw InvalidURI("The host of the URI holds a character that no host name has.") }
        guard let last = labels.last, isNumber(last) else { return }
        guard isIPv4Address(host[...]) else { throw InvalidURI("The host of the URI is a number but no IPv4 address.") }
    }

    /// Whether a label is decimal or, after `0x`, hexadecimal.
    private static func isNumber(_ label: ArraySlice<UInt8>) -> Bool {
        if label.allSatisfy(ASCII.isDigit) { return true }
        return label.starts(with: "0x".utf8) && label.dropFirst(2).allSatisfy(ASCII.isHexDigit)
    }

    /// Whether the bytes are four decimal numbers up to 255, without leading zeros (RFC 3986 §3.2.2).
    static func isIPv4Address(_ bytes: ArraySlice<UInt8>) -> Bool {
        ipv4Parts(bytes) != nil
    }

    /// What follows the address in brackets: `%25` and the name or the number of an interface, percent-encoded
    /// (RFC 6874 §2).
    static func zone(_ bytes: ArraySlice<UInt8>) throws(InvalidURI) -> String {
        guard bytes.starts(with: "%25".utf8) else {
            throw InvalidURI("The zone of the URI's IPv6 address does not begin with %25 (RFC 6874 §2).")
        }
        var zone: [UInt8] = []
        var rest = bytes.dropFirst(3)
        while let byte = rest.popFirst() {
            guard byte == .percent else {
                guard isUnreserved(byte) else {
                    throw InvalidURI("The zone of the URI's IPv6 address holds a character to be percent-encoded.")
                }
                zone.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(ASCII.hexValue), let low = rest.popFirst().flatMap(ASCII.hexValue)
            else { throw InvalidURI("The zone of the URI's IPv6 address is not percent-encoded properly.") }
            zone.append(high << 4 | low)
        }
        // No interface has a longer name or one with white space.
        guard (1...maxZoneByteCount).contains(zone.count), zone.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw InvalidURI("The zone of the URI's IPv6 address cannot be the name of a network interface.")
        }
        return String(decoding: zone, as: UTF8.self)
    }

    /// The longest name of an interface has 15 bytes on Linux and macOS.
    static let maxZoneByteCount = 15

    /// Host and zone as `getaddrinfo` takes them (RFC 4007 §11).
    package static func destination(_ host: String, zone: String?) -> String {
        guard let zone else { return host }
        return "\(host)%\(zone)"
    }

    /// The zone as a URI has it.
    static func encodedZone(_ zone: String) -> String {
        var encoded: [UInt8] = []
        for byte in zone.utf8 {
            if isUnreserved(byte) {
                encoded.append(byte)
            } else {
                encoded.append(.percent)
                encoded += [byte >> 4, byte & 0x0F].map { Array("0123456789ABCDEF".utf8)[Int($0)] }
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// RFC 3986 §2.3.
    private static func isUnreserved(_ byte: UInt8) -> Bool {
        ASCII.isAlphanumeric(byte) || "-._~".utf8.contains(byte)
    }

    private static func ipv4Parts(_ bytes: ArraySlice<UInt8>) -> [UInt16]? {
        let parts = bytes.split(separator: .dot, omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var values: [UInt16] = []
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy(ASCII.isDigit) else { return nil }
            if part.count > 1 && part.first == UInt8(ascii: "0") { return nil }
            let value = part.reduce(UInt16(0)) { $0 * 10 + UInt16($1 & 0x0F) }
            guard value <= 255 else { return nil }
            values.append(value)
        }
        return values
    }

    /// The eight groups of an IPv6 address in any of its forms (RFC 4291 §2.2), or nil.
    static func ipv6Groups(_ bytes: [UInt8]) -> [UInt16]? {
        guard (2...45).contains(bytes.count) else { return nil }
        let gap = bytes.indices.dropLast().first { bytes[$0] == .colon && bytes[$0 + 1] == .colon }
        guard let gap else {
            let groups = groups(bytes[...])
            return groups?.count == 8 ? groups : nil
        }
        guard let head = groups(bytes[..<gap], allowsIPv4: false), let tail = groups(bytes[(gap + 2)...]),
            head.count + tail.count <= 7
        else { return nil }
        return head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
    }

    /// Groups of one to four hexadecimal digits between colons; the last may be an IPv4 address, which is two groups.
    private static func groups(_ bytes: ArraySlice<UInt8>, allowsIPv4: Bool = true) -> [UInt16]? {
        guard !bytes.isEmpty else { return [] }
        let parts = bytes.split(separator: .colon, omittingEmptySubsequences: false)
        var groups: [UInt16] = []
        for (index, part) in parts.enumerated() {
            if allowsIPv4, index == parts.count - 1, let ipv4 = ipv4Parts(part) {
                groups.append(ipv4[0] << 8 | ipv4[1])
                groups.append(ipv4[2] << 8 | ipv4[3])
                continue
            }
            guard (1...4).contains(part.count), part.allSatisfy(ASCII.isHexDigit) else { return nil }
            groups.append(
                part.reduce(UInt16(0)) { value, digit in
                    value << 4 | UInt16(ASCII.isDigit(digit) ? digit & 0x0F : (digit & 0x0F) + 9)
                })
        }
        return groups
    }
}

/// Hosts with letters beyond ASCII, and their form in ASCII, which a URI requires (RFC 5890 §2.3.2.1).
///
/// Converts only what needs no tables: letters and digits that map to themselves in lower case, and letters with
/// combining marks, as macOS writes them, that compose to one letter. The rest (letters with a mapping, such as `ß` and
/// full-width letters) needs a tool with the tables of UTS 46.
enum InternationalHost {
    /// The error for such a host.
    ///
    /// - Parameter host: bytes of UTF-8.
    static func refusal(of host: some Sequence<UInt8>) -> InvalidURI {
        guard let form = asciiForm(of: host) else {
            return InvalidURI(
                "The host has characters beyond ASCII; it has to be written in its ASCII form, with xn--, which the "
                    + "command idn2 prints.")
        }
        return InvalidURI("The host has letters beyond ASCII; it has to be written as \(form), which means the same.")
    }

    /// The host in ASCII, with `xn--` before each converted label; nil where the conversion is not certain.
    static func asciiForm(of host: some Sequence<UInt8>) -> String? {
        guard let text = String(validating: host, as: UTF8.self) else { return nil }
        var labels: [String] = []
        for label in text.unicodeScalars.split(omittingEmptySubsequences: false, whereSeparator: dots.contains) {
            guard let label = asciiForm(ofLabel: label) else { return nil }
            labels.append(label)
        }
        let form = labels.joined(separator: ".")
        return (try? HostSyntax.checkName(Array(form.utf8))) == nil ? nil : form
    }

    private static func asciiForm(ofLabel label: Substring.UnicodeScalarView) -> String? {
        guard !label.allSatisfy(\.isASCII) else { return ASCII.lowercased(String(label)) }
        var scalars: [Unicode.Scalar] = []
        for scalar in String(label).flatMap(composed) {
            guard let scalar = smallLetter(scalar) else { return nil }
            scalars.append(scalar)
        }
        return punycode(scalars).map { "xn--\($0)" }
    }

    /// UTS 46 §2.3: the label separators, including those of East Asian keyboards.
    private static let dots: Set<Unicode.Scalar> = [".", "\u{3002}", "\u{FF0E}", "\u{FF61}"]

    /// The one letter of the Latin, Greek or Cyrillic script that is equivalent; else the scalars as they are.
    private static func composed(_ character: Character) -> [Unicode.Scalar] {
        let scalars = Array(character.unicodeScalars)
        guard scalars.count > 1 else { return scalars }
        let letters = [0xC0...0x24F, 0x370...0x52F, 0x1E00...0x1FFF].joined().lazy.compactMap(Unicode.Scalar.init)
        return letters.first { Character($0) == character }.map { [$0] } ?? scalars
    }

    /// The scalar in lower case; nil if it is not a letter or digit, or if its mapping needs tables.
    private static func smallLetter(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
        if scalar == "-" { return scalar }
        let small = scalar.properties.lowercaseMapping.unicodeScalars
        guard small.count == 1, let letter = small.first else { return nil }
        let properties = letter.properties
        // Among the scalars of class 0, only these compose with the one before.
        let isHangulPart = [0x1100...0x11FF, 0xA960...0xA97F, 0xD7B0...0xD7FF].contains { $0.contains(letter.value) }
        guard !properties.changesWhenNFKCCaseFolded, properties.canonicalCombiningClass == .notReordered, !isHangulPart
        else { return nil }
        switch properties.generalCategory {
        case .lowercaseLetter, .otherLetter, .modifierLetter, .decimalNumber: return letter
        default: return nil
        }
    }

    // MARK: - RFC 3492

    private static let base = 36, tMin = 1, tMax = 26, skew = 38, damp = 700

    /// RFC 3492 §6.3; nil for a label that is too long for any name.
    private static func punycode(_ scalars: [Unicode.Scalar]) -> String? {
        // A label has at most 63 bytes, and each code point takes at least one.
        guard scalars.count < 63 else { return nil }
        var output = scalars.filter(\.isASCII).map { UInt8($0.value) }
        let basicCount = output.count
        if basicCount > 0 { output.append(UInt8(ascii: "-")) }
        var n = 0x80, delta = 0, bias = 72, handled = basicCount
        while handled < scalars.count, let next = scalars.lazy.map({ Int($0.value) }).filter({ $0 >= n }).min() {
            delta += (next - n) * (handled + 1)
            n = next
            for scalar in scalars {
                if scalar.value < n { delta += 1 }
                guard scalar.value == n else { continue }
                append(delta, bias: bias, to: &output)
                bias = adapted(delta, count: handled + 1, isFirst: handled == basicCount)
                delta = 0
                handled += 1
            }
            delta += 1
            n += 1
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// A number in digits of a variable length.
    private static func append(_ delta: Int, bias: Int, to output: inout [UInt8]) {
        var rest = delta
        var k = base
        while true {
            let threshold = min(max(k - bias, tMin), tMax)
            guard rest >= threshold else { break }
            output.append(digit(threshold + (rest - threshold) % (base - threshold)))
            rest = (rest - threshold) / (base - threshold)
            k += base
        }
        output.append(digit(rest))
    }

    /// §6.1.
    private static func adapted(_ delta: Int, count: Int, isFirst: Bool) -> Int {
        var delta = isFirst ? delta / damp : delta / 2
        delta += delta / count
        var k = 0
        while delta > (base - tMin) * tMax / 2 {
            delta /= base - tMin
            k += base
        }
        return k + (base - tMin + 1) * delta / (delta + skew)
    }

    private static func digit(_ value: Int) -> UInt8 {
        Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)[value]
    }
}
