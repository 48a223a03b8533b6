import Foundation
import Testing

/// The programs on a system without files that are normally there, each in a mount namespace of its own.
@Suite(.enabled(if: OwnNetwork.isPossible, OwnNetwork.missing)) struct BareSystemTests {
    /// Runs a shell script with an empty folder in place of `mount`; nil if that is impossible, which is printed.
    private func run(without mount: String, _ script: String, _ arguments: [String]) async throws -> Child.End? {
        let command = "mount -t tmpfs none \(mount) || exit 75; \(script)"
        let end = try await Slots.taken {
            await
                (try Child(
                    URL(filePath: "/usr/bin/unshare"), ["-rm", "sh", "-c", command] + arguments, mayLeak: true)).end()
        }
        guard end.status == 75 || (end.status == 1 && end.errors.hasPrefix("unshare:")) else { return end }
        print("SKIPPED: no mount namespace without \(mount): \(end.errors)")
        return nil
    }

    #if os(Linux)
    /// Sanitizers read /proc themselves.
    private static let isPlain = ProcessInfo.processInfo.environment["GENESYS_LOOP_SANITIZER"] == nil
    private static let sanitized: Comment = "SKIPPED: a sanitizer needs /proc"

    @Test(.enabled(if: isPlain, sanitized))
    func `without proc the arguments are not lost`() async throws {
        try await Simulator.with { simulator in
            let listen = simulator.listening("--count", "1")
            let child = try Child(
                URL(filePath: "/usr/bin/unshare"),
                ["-rm", "sh", "-c", "mount -t tmpfs none /proc || exit 75; exec \"$0\" \"$@\"", Tool.executable.path]
                    + listen, mayLeak: true)
            let end = await child.end()
            if end.status == 75 || (end.status == 1 && end.errors.hasPrefix("unshare:")) {
                return print("SKIPPED: no mount namespace without /proc: \(end.errors)")
            }
            #expect(end.status == 0, "\(end.errors)")
            #expect(end.output.count { $0 == 0x0A } == 1)
        }
    }

    @Test(
        .enabled(if: isPlain, sanitized),
        arguments: [
            (["simulate", "--no-such-option"], false), (["--listen", "0", "--no-such-option"], true),
        ]) func `without proc a mistake is wrong usage`(arguments: [String], isEcho: Bool) async throws
    {
        let program = isEcho ? Tool.echo : Tool.executable
        guard let end = try await run(without: "/proc", "exec \"$0\" \"$@\"", [program.path] + arguments) else {
            return
        }
        #expect(end.status == 64, "\(end.errors)")
        #expect(end.output == [])
        #expect(end.errors.contains("--no-such-option"))
    }

    @Test(arguments: [
        "\"$0\" listen --uri ws://localhost:9/ --topic v2.a", "\"$0\" simulate <&-",
    ]) func `a program that cannot start names what is missing`(script: String) async throws {
        guard let end = try await run(without: "/dev", script, [Tool.executable.path]) else { return }
        #expect(end.status == 69)
        #expect(end.errors.contains("The program cannot start: /dev/null: no such file or directory"), "\(end.errors)")
    }
    #endif

    @Test func `a folder for temporary files that does not exist is named`() async throws {
        let end = try await Slots.taken {
            await (try Child.tool(["simulate"], variables: ["TMPDIR": "/nowhere/at/all"])).end()
        }
        #expect(end.status == 69)
        #expect(end.output == [])
        #expect(
            end.errors.contains("in /nowhere/at/all, which TMPDIR names: no such file or directory"), "\(end.errors)")
    }
}
