import Foundation
import Testing

@testable import GenesysLoop

/// The committed inputs of the fuzzer, through the oracles that the fuzzer uses.
@Suite struct FuzzInputTests {
    /// The files of one target in `Fuzz/Corpora` and `Fuzz/Findings`.
    private static func files(of target: FuzzTarget, here: String = #filePath) -> [URL] {
        let root = (0..<4).reduce(URL(fileURLWithPath: here)) { url, _ in url.deletingLastPathComponent() }
        return ["Corpora", "Findings"].flatMap { folder -> [URL] in
            let inputs = root.appendingPathComponent("Fuzz/\(folder)/\(target.rawValue)")
            let names = (try? FileManager.default.contentsOfDirectory(atPath: inputs.path)) ?? []
            return names.sorted().map { inputs.appendingPathComponent($0) }
        }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `no committed input finds anything`(_ target: FuzzTarget) throws {
        let files = Self.files(of: target)
        #expect(files.count >= 3, "a target without inputs proves nothing")
        for file in files {
            // Foundation leaks a page when it reads an empty file; another test has the empty input.
            guard try file.resourceValues(forKeys: [.fileSizeKey]).fileSize != 0 else { continue }
            let input = [UInt8](try Data(contentsOf: file))
            let complaint = target.complaint(about: input)
            #expect(complaint == nil, "\(file.lastPathComponent)")
        }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `an empty input is no complaint`(_ target: FuzzTarget) {
        #expect(target.complaint(about: []) == nil)
    }
}

/// Each oracle must find a planted error, since one that finds nothing proves nothing.
@Suite struct FuzzOracleTests {
    @Test func `the reference decoder knows the examples of RFC 6455`() {
        let hello = utf8("Hello")
        let masked: [UInt8] = [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]
        let fragments: [UInt8] = [0x01, 0x03, 0x48, 0x65, 0x6C, 0x80, 0x02, 0x6C, 0x6F]
        let limits = MessageLimits()
        #expect(ReferenceDecoder(masked, role: .server, limits: limits).events == [.message(.text, hello)])
        #expect(ReferenceDecoder(fragments, role: .client, limits: limits).events == [.message(.text, hello)])
        #expect(ReferenceDecoder(masked, role: .client, limits: limits).events == [.violation(.maskedServerFrame)])
    }

    @Test func `the reference decompressor knows the examples of RFC 7692`() {
        var inflate = ReferenceInflate(windowBits: 15, keepsContext: true)
        let payloads: [[UInt8]] = [
            [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00], [0xF2, 0x00, 0x11, 0x00, 0x00],
            [0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00],
            [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00],
            [0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00],
        ]
        for payload in payloads {
            let (output, violation) = inflate.message(payload, limit: 5)
            #expect(output == utf8("Hello") && violation == nil)
        }
        #expect(inflate.message(payloads[0], limit: 4).violation == .tooLarge)
        #expect(inflate.message([0xFF, 0xFF], limit: 4).violation == .invalid)
    }

    @Test(arguments: [
        ("{\"a\":[1,-0.5e3,\"\\u00e9\\n\",null]}", true), ("{\"a\":1,}", false), ("[01]", false), ("\"\\x\"", false),
        ("{\"a\" 1}", false), ("tru", false), ("1.", false), ("", false), ("\"\u{1}\"", false), ("{} {}", false),
    ])
    func `the reference scanner knows the grammar`(_ text: String, isValid: Bool) {
        let reference = Result { () throws(ReferenceJSON.Violation) in try ReferenceJSON(utf8(text)) }
        if case .success = reference { #expect(isValid) } else { #expect(!isValid) }
    }

    @Test func `bytes that may become UTF-8 are told from those that cannot`() {
        for text in ["é", "€", "🎉", "\u{FFFF}", "\u{10FFFF}", "\u{800}", "\u{D7FF}"] {
            let bytes = utf8("a" + text)
            for count in 1...bytes.count { #expect(ReferenceUTF8.isPossible(Array(bytes[..<count]))) }
        }
        for bytes: [UInt8] in [
            [0x80], [0xC0], [0xE0, 0x80], [0xED, 0xA0], [0xF0, 0x80], [0xF4, 0x90], [0xF5], [0xC3, 0x41],
        ] {
            #expect(!ReferenceUTF8.isPossible(bytes), "\(bytes)")
        }
    }

    @Test func `a driver notices what no machine may ask for`() {
        let link = LinkID(rawValue: 1)
        let wrong: [[ChannelMachine.Action]] = [
            [.drop(link)], [.connect(link, .original), .connect(link, .original)], [.finish(.closed)],
            [.connect(link, .original), .sendClose(link)], [.tell(.didRecover(recovery))], [.send(link, .ping)],
        ]
        for actions in wrong {
            var driver = ChannelDriver()
            for action in actions { driver.perform(action) }
            #expect(driver.complaint != nil, "\(actions)")
        }
    }

    private var recovery: Recovery {
        Recovery(
            method: .reconnect, attemptCount: 1, reconnectCount: 1, rolloverCount: 0, extensionCount: 0,
            mergedRepeats: 0)
    }
}
