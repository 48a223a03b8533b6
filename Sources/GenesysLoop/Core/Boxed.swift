/// A value in memory of its own, which its copies share: for what is rarely there, or is the same for many.
package indirect enum Boxed<Value> {
    case value(Value)

    /// Moves a value into memory of its own.
    package init(_ value: Value) {
        self = .value(value)
    }

    /// The value.
    package var value: Value {
        switch self {
        case .value(let value): value
        }
    }
}

extension Boxed: Equatable where Value: Equatable {}
extension Boxed: Sendable where Value: Sendable {}
