/// Hosts with letters beyond ASCII, which are written in ASCII where a URI wants them (RFC 5890 §2.3.2.1).
///
/// Only what needs no tables is converted: letters and digits that stand for themselves once they are small, and letters
/// with marks behind them, as macOS writes them, that are one letter. For the rest (letters to be mapped, such as `ß` and
/// those of full width) one has to be asked who has the tables of UTS 46.
enum InternationalHost {
    /// The refusal of such a host.
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

    /// The host in ASCII, `xn--` before each label that was not; nil where that is not sure.
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

    /// UTS 46 §2.3: what keyboards of East Asia write between labels, too.
    private static let dots: Set<Unicode.Scalar> = [".", "\u{3002}", "\u{FF0E}", "\u{FF61}"]

    /// The one letter of the Latin, Greek or Cyrillic script that is equivalent; else the scalars as they are.
    private static func composed(_ character: Character) -> [Unicode.Scalar] {
        let scalars = Array(character.unicodeScalars)
        guard scalars.count > 1 else { return scalars }
        let letters = [0xC0...0x24F, 0x370...0x52F, 0x1E00...0x1FFF].joined().lazy.compactMap(Unicode.Scalar.init)
        return letters.first { Character($0) == character }.map { [$0] } ?? scalars
    }

    /// The scalar in its small form; nil where it is no letter or digit, or where what stands for it cannot be told.
    private static func smallLetter(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
        if scalar == "-" { return scalar }
        let small = scalar.properties.lowercaseMapping.unicodeScalars
        guard small.count == 1, let letter = small.first else { return nil }
        let properties = letter.properties
        // Of those with class 0 only these can be composed with what stands before them.
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

    /// RFC 3492 §6.3; nil for a label that no name could hold.
    private static func punycode(_ scalars: [Unicode.Scalar]) -> String? {
        // A label has 63 bytes at the most, and no code point takes less than one.
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
