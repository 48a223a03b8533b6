import ArgumentParser

/// A time on the command line: a number of seconds, also written `90s`, `5m` or `24h`.
struct Seconds: ExpressibleByArgument, Equatable {
    let value: Double

    init?(argument: String) {
        let factor: Double? =
            switch argument.last {
            case "s": 1
            case "m": 60
            case "h": 3_600
            default: nil
            }
        guard let number = Double(factor == nil ? argument[...] : argument.dropLast()) else { return nil }
        value = number * (factor ?? 1)
    }

    var duration: Duration { .seconds(value) }
}

/// How long something may take: a time, or `never`.
enum Limit: ExpressibleByArgument, Equatable {
    case after(Seconds)
    case never

    init?(argument: String) {
        if argument == "never" {
            self = .never
        } else {
            guard let seconds = Seconds(argument: argument) else { return nil }
            self = .after(seconds)
        }
    }

    /// Nil for `never`.
    var seconds: Seconds? {
        switch self {
        case .after(let seconds): seconds
        case .never: nil
        }
    }
}
