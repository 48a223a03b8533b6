/// Why a server refuses a request, and with which status.
package struct UpgradeRequestFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// The status of the refusal: 400, 405, 426 or 431.
    package let status: Int
    /// One sentence.
    package let description: String

    init(status: Int, _ description: String) {
        self.status = status
        self.description = description
    }
}
