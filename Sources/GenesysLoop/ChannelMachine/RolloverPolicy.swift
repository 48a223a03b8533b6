/// Who handles the maintenance notice.
public enum RolloverPolicy: Hashable, Sendable {
    /// The channel opens a second connection to the same URI, unless the delegate calls `rollover(to:)`.
    case automatic
    /// The delegate.
    case manual
}
