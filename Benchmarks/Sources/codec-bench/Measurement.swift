/// The result for one subject.
struct Measurement: Encodable {
    let group: String
    let subject: String
    let nanosecondsPerMessage: Double
    let gigabytesPerSecond: Double
    /// The slowest and the fastest round, in GB/s.
    let slowest: Double
    let fastest: Double
    /// GB/s divided by that of `memchr` on the same messages.
    let ratioToMemchr: Double
}

/// Times subjects in turns: each round goes through all of them, so that a disturbance affects them equally.
struct Timing {
    /// How many rounds; the median counts.
    let rounds: Int
    /// How long one subject runs in one round.
    let sliceNanoseconds = 8_000_000

    func measure(_ subjects: [Subject]) -> [Measurement] {
        let repetitions = subjects.map(calibrated)
        var times = [[Double]](repeating: [], count: subjects.count)
        for _ in 0..<rounds {
            for (index, subject) in subjects.enumerated() {
                let elapsed = Timing.elapsed(subject, repetitions: repetitions[index])
                times[index].append(Double(elapsed) / Double(repetitions[index]))
            }
        }
        let medians = times.map { $0.sorted()[rounds / 2] }
        return subjects.indices.map { index in
            let subject = subjects[index]
            let yardstick = subjects.indices.first {
                subjects[$0].group == subject.group && subjects[$0].name == Subject.yardstick
            }
            let bytes = Double(subject.byteCount)
            let speed = bytes / medians[index]
            let reference = yardstick.map { Double(subjects[$0].byteCount) / medians[$0] } ?? .nan
            return Measurement(
                group: subject.group, subject: subject.name,
                nanosecondsPerMessage: medians[index] / Double(subject.messageCount), gigabytesPerSecond: speed,
                slowest: bytes / (times[index].max() ?? .nan), fastest: bytes / (times[index].min() ?? .nan),
                ratioToMemchr: speed / reference)
        }
    }

    /// How often a subject runs in its slice of a round.
    ///
    /// The calibration also warms up the caches.
    private func calibrated(_ subject: Subject) -> Int {
        var count = 1
        while true {
            let elapsed = Timing.elapsed(subject, repetitions: count)
            if elapsed > sliceNanoseconds / 4 { return max(1, count * sliceNanoseconds / elapsed) }
            count *= 2
        }
    }

    @inline(never)
    private static func elapsed(_ subject: Subject, repetitions: Int) -> Int {
        let start = ProcessorTime.now
        var sum = 0
        for _ in 0..<repetitions { sum &+= subject.run() }
        let elapsed = ProcessorTime.now - start
        keep(sum)
        return elapsed
    }

    /// Makes the optimizer believe that the result is needed.
    @inline(never)
    private static func keep(_ value: Int) {
        if value == .min { print() }
    }
}
