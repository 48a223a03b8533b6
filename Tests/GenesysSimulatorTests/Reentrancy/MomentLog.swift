import Testing

/// The calls of a delegate, and its one action.
struct MomentLog<Kind: Moment> {
    private(set) var moments: [Kind] = []
    /// The number of calls up to and including the one with the action.
    private(set) var countAtDeed: Int?

    /// Records a call.
    mutating func note(_ moment: Kind) { moments.append(moment) }

    /// The action is about to be performed.
    mutating func noteDeed() { countAtDeed = moments.count }

    var terminalCount: Int { moments.count(where: \.isTerminal) }
    var hasEnded: Bool { terminalCount > 0 }
    var afterDeed: ArraySlice<Kind> { moments[(countAtDeed ?? moments.count)...] }

    /// What every delegate may rely on, whatever it does.
    func check(_ deed: Deed, at moment: Kind, _ place: SourceLocation = #_sourceLocation) {
        #expect(countAtDeed != nil, "the moment never came: \(moments)", sourceLocation: place)
        let wasTold = deed != .forgetDelegate || moment.isTerminal
        #expect(terminalCount == (wasTold ? 1 : 0), "\(moments)", sourceLocation: place)
        if wasTold { #expect(moments.last?.isTerminal == true, "\(moments)", sourceLocation: place) }
        switch deed {
        case .close:
            #expect(afterDeed.allSatisfy { "\($0)" == "didClose" }, "\(moments)", sourceLocation: place)
        case .forgetDelegate:
            #expect(afterDeed.isEmpty, "\(moments)", sourceLocation: place)
        case .pause:
            #expect(!afterDeed.contains { $0.isDelivery }, "\(moments)", sourceLocation: place)
        case .rollover, .subscribe, .unsubscribe, .setTopics, .resume, .dropLastReference, .openAnother, .stopLoop,
            .useLoop, .send, .ping:
            break
        }
    }
}
