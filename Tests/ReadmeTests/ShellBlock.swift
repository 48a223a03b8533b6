import Foundation
import Testing

/// A block of commands on a page.
struct ShellBlock {
    /// What stands in for the real service, and for the environment of a user.
    struct Surroundings {
        let service: LocalService
        /// Empty but for the files of the user's home, whose names begin with a dot.
        let folder: URL
    }

    /// Debian's names for what a program needs where it runs, beside those that Scripts/setup installs to build it.
    static let runTimePackages = ["libuv1", "libssl3", "zlib1g", "libstdc++6", "ca-certificates"]

    let block: Page.Block
    /// The commands, without comments; a command with a backslash at its end goes on.
    let commands: [String]

    init(_ block: Page.Block) {
        self.block = block
        let lines = block.text.replacing("\\\n", with: " ").split(separator: "\n")
        commands = lines.map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty && !$0.hasPrefix("#") }
    }

    /// Whether a command would build, install or download, so that it is compared and not run.
    static func isCompared(_ command: String) -> Bool {
        let words = command.split(separator: " ")
        let first = words.first == "sudo" ? words.dropFirst().first : words.first
        guard let first else { return false }
        let builders = ["swift", "apt-get", "brew", "git", "cd", "cc", "export"]
        return first.hasPrefix("./Scripts/") || builders.contains(String(first))
    }

    /// Compares a command with what the repository has.
    static func compare(_ command: String, at place: Comment) throws {
        var words = command.split(separator: "#")[0].split(separator: " ").map(String.init)
        if words.first == "sudo" { words.removeFirst() }
        let program = words.removeFirst()
        switch program {
        case "swift":
            #expect(["build", "run", "test", "package"].contains(words.first), place)
            if words.first == "run", let product = words.dropFirst().first(where: { !$0.hasPrefix("-") }) {
                #expect(try Page.text("Package.swift").contains("\"\(product)\""), place)
            }
        case "apt-get", "brew":
            let texts = try Page.text("Package.swift") + Page.text("Scripts/setup")
            let known = texts.matches(of: /[a-z0-9][a-z0-9.+@-]+/).map { String($0.0) } + runTimePackages
            for name in words where name != "install" && !name.hasPrefix("-") {
                #expect(known.contains(name), "\(place): neither Package.swift nor Scripts/setup names \(name)")
            }
        case "git", "cd": break
        case "cc", "export":
            // What Scripts/install-c prints, which a test of it runs.
            let script = try Page.text("Scripts/install-c")
            let told = program == "cc" ? "echo '\(command)'" : "echo \"export \(words[0].prefix { $0 != "=" })="
            #expect(script.contains(told), "\(place): Scripts/install-c does not print \(command)")
        default:
            let script = try Page.text(String(program.dropFirst(2)))
            for option in words where option.hasPrefix("--") {
                #expect(script.contains(option), "\(place): \(program) has no \(option)")
            }
        }
    }

    /// Runs the block as it is.
    func run(in surroundings: Surroundings) async throws -> Command.End {
        let (service, folder) = (surroundings.service, surroundings.folder)
        let trusted = folder.appending(path: ".ca.pem")
        try Data(service.certificate).write(to: trusted)
        try "connect-to = \"::localhost:\(service.port)\"\ninsecure\nsilent\n"
            .write(to: folder.appending(path: ".curlrc"), atomically: true, encoding: .utf8)
        let script = folder.appending(path: ".block.sh")
        try block.text.write(to: script, atomically: true, encoding: .utf8)
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return try await Command.run(
            URL(filePath: "/usr/bin/env"), ["bash", "-eu", "-o", "pipefail", script.path],
            variables: [
                "HOME": folder.path, "CURL_HOME": folder.path, "PATH": "\(Command.programs.path):\(path)",
                "SSL_CERT_FILE": trusted.path, "TOKEN": "a-token",
            ], in: folder)
    }
}
