/// The requirement of `--check` for a subject: this many GB/s or, on a slower machine, a fraction of the speed of
/// `memchr`.
struct Bar {
    let group: String
    let subject: String
    let gigabytesPerSecond: Double
    let ratioToMemchr: Double

    /// The ratios are three quarters of those of the first slower machine (Xeon at 2.3 GHz, AVX-512).
    static let all: [Bar] = [
        scanner(ScannerSubjects.conversation, ratioToMemchr: 0.019),
        scanner(ScannerSubjects.observations, ratioToMemchr: 0.009),
        scanner(ScannerSubjects.transcript, ratioToMemchr: 0.010),
        validator(TextSubjects.smallASCII, ratioToMemchr: 0.5),
        validator(TextSubjects.largeASCII, ratioToMemchr: 0.5),
    ]

    private static func scanner(_ group: String, ratioToMemchr: Double) -> Bar {
        Bar(group: group, subject: "EnvelopeScanner", gigabytesPerSecond: 2, ratioToMemchr: ratioToMemchr)
    }

    private static func validator(_ group: String, ratioToMemchr: Double) -> Bar {
        Bar(group: group, subject: "UTF8Validator", gigabytesPerSecond: 20, ratioToMemchr: ratioToMemchr)
    }

    /// What is wrong, or nil.
    func complaint(about measurements: [Measurement]) -> String? {
        guard let measured = measurements.first(where: { $0.group == group && $0.subject == subject }) else {
            return "\(group), \(subject): not measured"
        }
        let speed = measured.gigabytesPerSecond, ratio = measured.ratioToMemchr
        guard speed < gigabytesPerSecond && ratio < ratioToMemchr else { return nil }
        return "\(group), \(subject): \(Report.number(speed)) GB/s, \(Report.number(ratio)) of memchr; wanted are "
            + "\(Report.number(gigabytesPerSecond)) GB/s or \(Report.number(ratioToMemchr)) of memchr"
    }
}
