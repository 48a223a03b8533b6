import Foundation
import GenesysLoop
import GenesysSimulator

/// The actions of a simulated service with their times: the file of `simulate --script`.
///
/// The format is described in `SimulatorScript.md` of the manual.
struct SimulatorScript {
    /// Why a file is not a script: one sentence with the location and the cause.
    struct Invalid: Error, CustomStringConvertible {
        let description: String
    }

    struct Step {
        /// Seconds since the start of the service, or of this round.
        let at: Double
        let action: ScriptAction
    }

    /// Sorted by time.
    private(set) var steps: [Step] = []
    /// The number of seconds after which the steps repeat; nil to play them once.
    private(set) var repeatsAfter: Double?

    init(_ data: Data, name: String) throws(Invalid) {
        let root = try ScriptText(data, name: name).object()
        var members = ScriptMembers(root, place: "'\(name)'")
        let list = try members.list("steps")
        repeatsAfter = try members.optionalNumber("repeat")
        try members.finish()
        for (index, value) in list.enumerated() {
            guard case .object(let object) = value else {
                throw Invalid(description: "Step \(index + 1) of '\(name)' is no JSON object.")
            }
            var step = ScriptMembers(object, place: "step \(index + 1) of '\(name)'")
            let at = try step.number("at")
            let action = try ScriptAction(&step)
            try step.finish()
            steps.append(Step(at: at, action: action))
        }
        steps.sort { $0.at < $1.at }
        guard let repeatsAfter else { return }
        guard repeatsAfter >= 0.001, repeatsAfter >= steps.last?.at ?? 0 else {
            throw Invalid(description: "'repeat' of '\(name)' comes before the last step.")
        }
    }
}
