/// An object that uses a loop as long as something else keeps it running, such as the sampling of metrics.
///
/// Its handles never keep the loop running, nor do they keep a loop from ending or from being detached.
package protocol LoopCompanion: AnyObject {
    /// Nothing is open on the loop: `run()` is about to return, or the loop is being left.
    ///
    /// - Parameter isEnd: whether the loop has ended for good, or is being detached. Then every handle must be closed.
    func loopIsIdle(isEnd: Bool)
}

/// The companions of a loop, unretained.
struct LoopCompanions {
    private struct Reference {
        weak var companion: (any LoopCompanion)?
    }

    private var references: [Reference] = []

    var isEmpty: Bool { references.isEmpty }
    var all: [any LoopCompanion] { references.compactMap(\.companion) }

    mutating func append(_ companion: any LoopCompanion) {
        references.append(Reference(companion: companion))
    }

    /// Removes a companion, and those that were destroyed.
    mutating func remove(_ companion: any LoopCompanion) {
        references.removeAll { $0.companion == nil || $0.companion === companion }
    }

    mutating func removeAll() {
        references = []
    }
}

extension UVLoop {
    /// Notifies `companion`, which is not retained, until `leave(_:)`.
    package func accompany(_ companion: any LoopCompanion) {
        preconditionCurrent("UVLoop.accompany(_:)")
        companions.append(companion)
    }

    /// Undoes `accompany(_:)`.
    package func leave(_ companion: any LoopCompanion) {
        companions.remove(companion)
    }

    func notifyCompanions(isEnd: Bool) {
        guard !companions.isEmpty else { return }
        let all = companions.all
        if isEnd { companions.removeAll() }
        inPass { for companion in all { companion.loopIsIdle(isEnd: isEnd) } }
    }
}
