/// A heap-allocated value that copies share, for values that are rarely present or equal in many places.
package indirect enum Boxed<Value> {
    case value(Value)

    /// Moves a value to the heap.
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
