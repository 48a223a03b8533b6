import Foundation
import GenesysLoop

// A program that sends requests and leaves them at each moment. For each way it prints what is left in the process:
//
//     request-probe
//     head cancel: 0 results, 0 descriptors, 0 threads
//
// A loop that is released with a handle on it ends the process. A name in .stuck.test must be one whose look-up never
// ends; see Conformance/resolver.c. The two threads of such a look-up, one for each family, are not counted: nothing
// can end them.
//
//     request-probe --block
//
// blocks the loop's thread for 5 ms, to show that Tests/Hosts/blocking_calls.c records it.
//
//     request-probe --calls COUNT BASE CA-FILE
//     request-probe --idle loop|platform BASE CA-FILE
//
// are what Scripts/bench calls measures.

/// - Returns: the number of results.
func run(_ moment: Moment, _ exit: Exit) throws -> Int {
    let loop = try UVLoop()
    let visit = try Visit(moment, exit, on: loop)
    loop.run()
    return visit.resultCount
}

let arguments = CommandLine.arguments.dropFirst()
switch arguments.first {
case "--block":
    let loop = try UVLoop()
    loop.schedule(after: .zero) { poll(nil, 0, 5) }
    loop.run()
    exit(0)
case "--calls" where arguments.count == 4:
    let count = Int(arguments[2]) ?? 1
    let channelCount = try Measurement(base: arguments[3], caFile: arguments[4]).list(count)
    print(#"{"calls":\#(count),"channels":\#(channelCount)}"#)
    exit(0)
case "--idle" where arguments.count == 4:
    try Measurement(base: arguments[3], caFile: arguments[4]).idle(isOpen: arguments[2] == "platform")
    exit(0)
default:
    break
}

// What is made once and kept: libcurl, OpenSSL, certificates.
_ = try run(.idle, .close)
let clock = try UVLoop()
let kept = Possessions(on: clock, until: { $0 == 1 })
var stuckCount = 0
for moment in Moment.allCases {
    for exit in Exit.allCases where exit != .deadline || moment.isEndless {
        let resultCount = try run(moment, exit)
        if moment == .dns { stuckCount += 2 }
        let left = Possessions(on: clock, until: { $0 <= kept.threadCount + stuckCount })
        print(
            "\(moment) \(exit): \(resultCount) results, \(left.descriptorCount - kept.descriptorCount) descriptors, "
                + "\(left.threadCount - kept.threadCount - stuckCount) threads")
    }
}
