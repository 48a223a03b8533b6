import ArgumentParser

@main
struct GenesysLoopTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "genesys-loop", abstract: "Genesys Cloud notifications.")
}
