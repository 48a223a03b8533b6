import Foundation
import GenesysLoop
import GenesysSimulator
import Logging
import Testing

@testable import GenesysPlatform

@Suite struct TokenCacheTests {
    private let now = WallTime(seconds: 1_785_488_703, nanoseconds: 7_000_000)

    /// A new folder, removed afterwards.
    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func write(_ text: String, to path: String, mode: Int = 0o600) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    @Test func `what was written is read again, by the same account only, until the token ends`() throws {
        try inFolder { folder in
            let path = folder + "/token"
            let cache = TokenCache(path, of: "a")
            #expect(try cache.read(now: now) == nil)
            try cache.write(SecretBytes(#"se"cret"#), end: now + .seconds(60))
            let kept = try #require(try cache.read(now: now + .seconds(20)))
            #expect(kept.value == SecretBytes(#"se"cret"#))
            #expect(kept.lifetime == .seconds(40))
            #expect(try cache.read(now: now + .seconds(60)) == nil)
            #expect(try TokenCache(path, of: "b").read(now: now) == nil)
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["token"])
            try cache.write(SecretBytes("other"), end: nil)
            #expect(try cache.read(now: now)?.lifetime == nil)
        }
    }

    @Test func `a file that others can read, or that is not a cache, is refused with a sentence`() throws {
        try inFolder { folder in
            let path = folder + "/token"
            func refusal() throws -> String {
                let failure = try #require(throws: ChannelFailure.self) {
                    try TokenCache(path, of: "a").read(now: now)
                }
                #expect(failure.reason == .invalidURI)
                return failure.description
            }
            try write("", to: path)
            #expect(try TokenCache(path, of: "a").read(now: now) == nil)
            try write("", to: path, mode: 0o640)
            #expect(try refusal().contains("set its mode to 0600"))
            try write("root:x:0:0", to: path)
            #expect(try refusal().contains("is no token cache"))
            try write(String(repeating: " ", count: 70_000), to: path)
            #expect(try refusal().contains("is no token cache"))
            try FileManager.default.removeItem(atPath: path)
            #expect(unsafe mkfifo(path, 0o600) == 0)
            #expect(try refusal().contains("not a regular file"))
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            #expect(try refusal().contains("not a regular file"))
            let failure = try #require(throws: ChannelFailure.self) {
                try TokenCache(folder + "/none/token", of: "a").read(now: now)
            }
            #expect(failure.description.contains("no such file or directory"))
        }
    }

    @Test func `a symbolic link is refused: it would be replaced instead of its target`() throws {
        try inFolder { folder in
            let path = folder + "/token"
            for target in ["missing", "there"] {
                try write("", to: folder + "/there")
                try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
                let cache = TokenCache(path, of: "a")
                let read = try #require(throws: ChannelFailure.self) { try cache.read(now: now) }
                #expect(read.reason == .invalidURI && read.description.contains("is a symbolic link"))
                let written = try #require(throws: ChannelFailure.self) {
                    try cache.write(SecretBytes("secret"), end: nil)
                }
                #expect(written.description.contains("name the file itself"))
                #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == target)
                try FileManager.default.removeItem(atPath: path)
            }
        }
    }

    @Test func `the file is written while the loop goes on, and the loop runs until it is`() throws {
        try inFolder { folder in
            let path = folder + "/token"
            let loop = try UVLoop()
            // The writer is held by its work alone.
            TokenCacheWriter(TokenCache(path, of: "a"), on: loop, logger: Logger(label: "")).write(
                SecretBytes("secret"), end: nil)
            loop.run()
            #expect(try TokenCache(path, of: "a").read(now: now)?.value == SecretBytes("secret"))
        }
    }

    @Test func `tokens are written in their order`() throws {
        try inFolder { folder in
            let path = folder + "/token"
            let loop = try UVLoop()
            let writer = TokenCacheWriter(TokenCache(path, of: "a"), on: loop, logger: Logger(label: ""))
            for number in 0..<100 { writer.write(SecretBytes("secret \(number)"), end: nil) }
            loop.run()
            #expect(try TokenCache(path, of: "a").read(now: now)?.value == SecretBytes("secret 99"), "in order")
        }
    }

    @Test func `a second start uses the kept token, and mints another one when the service refuses it`() throws {
        try inFolder { folder in
            let path = folder + "/token"
            let stage = try PlatformStage()
            func mintCount(start: Int) throws -> Int {
                stage.platform = nil
                try stage.makePlatform { $0.tokenCache = path }
                let channel = try stage.makeChannel()
                channel.open()
                try stage.run(untilLogged: "subscribed 2", count: start)
                channel.close()
                try stage.run(untilLogged: "closed", count: start)
                return stage.requests.filter { $0 == "POST /oauth/token" }.count
            }
            #expect(try mintCount(start: 1) == 1)
            #expect(try mintCount(start: 2) == 1)
            stage.server.expireTokens()
            #expect(try mintCount(start: 3) == 2)
            stage.leave()
        }
    }
}
