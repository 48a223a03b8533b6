internal import CProcess

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Musl)
internal import Musl
#else
internal import Glibc
#endif

/// The arguments of the process, as `main` gets them.
///
/// On Linux, `CommandLine` reads them from /proc; without /proc, for example in a chroot, it has none.
@safe package enum Arguments {
    /// Why the arguments cannot be used; one sentence.
    package struct Unusable: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// All but the program's name.
    package static func current() throws(Unusable) -> [String] { try decode(raw) }

    /// - Parameter all: the program's name, then its arguments.
    /// - Throws: if there is no name, or if an argument is not UTF-8. The sentence shows no argument's value.
    static func decode(_ all: [[UInt8]]) throws(Unusable) -> [String] {
        guard !all.isEmpty else {
            throw Unusable(description: "The system does not tell the program its arguments (is /proc mounted?).")
        }
        var texts: [String] = []
        for bytes in all.dropFirst() {
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw Unusable(
                    description:
                        "\(name(of: bytes, after: texts)) is not UTF-8; the program takes paths, and all other "
                        + "arguments, only as UTF-8 text.")
            }
            texts.append(text)
        }
        return texts
    }

    /// Identifies the argument in words.
    private static func name(of bytes: [UInt8], after texts: [String]) -> String {
        if let end = bytes.firstIndex(of: UInt8(ascii: "=")),
            let option = String(validating: bytes[..<end], as: UTF8.self), option.hasPrefix("--")
        {
            return "The value of \(option)"
        }
        if let option = texts.last, option.hasPrefix("--"), !option.contains("=") { return "The value of \(option)" }
        return "Argument \(texts.count + 1)"
    }

    private static var raw: [[UInt8]] {
        let count = arguments_count()
        // The arguments of `main` live unchanged as long as the process.
        if count > 0 { return (0..<count).compactMap { unsafe arguments_value($0).map { unsafe bytes($0) } } }
        // A copy that is never freed.
        return (0..<Int(CommandLine.argc)).compactMap { unsafe CommandLine.unsafeArgv[$0].map { unsafe bytes($0) } }
    }

    private static func bytes(_ text: UnsafePointer<CChar>) -> [UInt8] {
        // A C string of the process's arguments.
        unsafe [UInt8](UnsafeRawBufferPointer(start: text, count: strlen(text)))
    }
}
