internal import COpenSSL

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

// The first argument is the name of a target; the others are libFuzzer's, or a list of files when coverage is measured.
// libFuzzer restarts itself for some tasks without the name, so the environment keeps it.

private let variable = "GENESYS_LOOP_FUZZ_TARGET"

/// The target of this process.
private let target: FuzzTarget? = unsafe getenv(variable).flatMap { unsafe FuzzTarget(rawValue: String(cString: $0)) }

/// Tries one input and ends the process with a sentence if something is wrong.
private func examine(_ input: [UInt8]) {
    if target == .tls { PredictableRandom.restart() }
    guard let complaint = target?.complaint(about: input) else { return }
    say(complaint)
    abort()
}

private func say(_ text: String) {
    let line = Array("==> \(text)\n".utf8)
    _ = unsafe line.withUnsafeBytes { unsafe write(2, $0.baseAddress, $0.count) }
}

#if LIBFUZZER
@_silgen_name("LLVMFuzzerRunDriver")
private func runLibFuzzer(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ testOne: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32
#endif

/// The package manager's linker flags name the executable's entry like this.
@c(fuzz_main)
public func fuzzMain(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32 {
    var words = unsafe (1..<max(1, Int(count))).compactMap { unsafe arguments[$0] }
    let name = unsafe words.first.map { unsafe String(cString: $0) } ?? ""
    if FuzzTarget(rawValue: name) != nil {
        unsafe setenv(variable, name, 1)
        unsafe words.removeFirst()
    }
    if target == .tls {
        PredictableRandom.install()
        // The keys are made before the first run, so that the first run draws the same random numbers as every other.
        _ = unsafe TLSContexts.shared
    }
    guard target != nil else {
        say("usage: fuzz TARGET …, TARGET one of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: " "))")
        return 64
    }
    #if LIBFUZZER
    let strings = unsafe [arguments[0]] + words + [nil]
    let copy = unsafe UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: strings.count)
    _ = unsafe copy.initialize(from: strings)
    var rest = copy.baseAddress
    var restCount = unsafe Int32(words.count) + 1
    return unsafe runLibFuzzer(&restCount, &rest) { bytes, count in
        // libFuzzer's bytes live during the call.
        examine(unsafe Array(UnsafeBufferPointer(start: bytes, count: count)))
        return 0
    }
    #else
    for index in unsafe words.indices {
        guard let input = unsafe contents(of: words[index]) else { return 66 }
        examine(input)
    }
    return 0
    #endif
}

/// The bytes of a file; nil if it cannot be read.
private func contents(of path: UnsafePointer<CChar>) -> [UInt8]? {
    guard let file = unsafe fopen(path, "rb") else { return nil }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    while true {
        let byte = unsafe getc(file)
        if byte == EOF { return bytes }
        bytes.append(UInt8(truncatingIfNeeded: byte))
    }
}
