package import GenesysLoop

/// Which topics are on which channel of a group.
///
///     wanted topics ──by resource──▶ names of one resource ──combined──▶ places ──hashed, then filled──▶ shards
///
/// A *shard* is the part of the topics that one channel has; a *place* is one of its 1,000 topics. Topics of one
/// resource are in one shard, and those that come together are joined in one combined topic, which takes one place. The
/// first topics fill the fewest shards, evenly, in the order of a hash of the resources: in which order the host names
/// them makes no difference.
///
/// A topic never moves: others come and go beside it. New resources fill the shards with the lowest numbers, first to
/// `easyLimit`, so that there is room for more topics of a resource, then to the limit; the others become empty with
/// time. Further topics of a resource whose shard is full are on another one.
///
/// Topics are counted: each of several users of a group adds and removes its own, and the last one to remove a topic
/// ends it.
///
/// Source: platform sheet §2.1, §5.
package struct ShardPlan: Equatable, Sendable {
    /// Until here a shard takes new resources as long as there is another shard with room.
    static let easyLimit = 900

    private struct Place: Equatable, Sendable {
        /// What the channel has: the only member, or all of them combined.
        var topic: Topic
        /// The wanted topics.
        var members: [Topic]
        let shard: Int
    }

    private struct Shard: Equatable, Sendable {
        var resources: [Topic] = []
        var placeCount = 0
    }

    /// How many shards there may be.
    package let capacity: Int
    /// How many places each has.
    package let size: Int
    private var shards: [Shard] = []
    /// By resource.
    private var places: [Topic: [Place]] = [:]
    /// The wanted topics, and how many users want each.
    private var references: [Topic: Int] = [:]

    package init(capacity: Int, size: Int = Topic.maxCount) {
        self.capacity = capacity
        self.size = size
    }

    // MARK: - The plan

    /// How many shards there are, with those that have become empty.
    package var shardCount: Int { shards.count }

    package var placeCount: Int { shards.reduce(0) { $0 + $1.placeCount } }

    /// The wanted topics without an order.
    package var wanted: some Collection<Topic> { references.keys }

    package func isWanted(_ topic: Topic) -> Bool { references[topic] != nil }

    package func placeCount(of shard: Int) -> Int { shards[shard].placeCount }

    /// What the channel of a shard has: single topics and combined ones.
    package func topics(of shard: Int) -> [Topic] {
        shards[shard].resources.flatMap { resource in
            (places[resource] ?? []).filter { $0.shard == shard }.map(\.topic)
        }
    }

    /// The wanted topics of a topic that a channel has.
    package func members(of topic: Topic) -> [Topic] {
        if references[topic] != nil { return [topic] }
        return places[topic.resource]?.first { $0.topic == topic }?.members ?? [topic]
    }

    // MARK: - Changes

    /// One user more for each of the topics.
    ///
    /// - Returns: the shards that have other topics now.
    /// - Throws: `ChannelFailure` with reason `subscriptionRefused` for an invalid topic, or if there is no place.
    ///   Nothing has changed then.
    package mutating func add(_ topics: [Topic]) throws(ChannelFailure) -> Set<Int> {
        let unique = try Topic.checked(topics, limit: .max)
        let new = unique.filter { references[$0] == nil }
        guard !new.isEmpty else {
            for topic in unique { references[topic, default: 0] += 1 }
            return []
        }
        var next = self
        let changed = try next.place(new)
        for topic in unique { next.references[topic, default: 0] += 1 }
        self = next
        return changed
    }

    /// One user less for each of the topics; unknown ones are ignored.
    ///
    /// - Returns: the shards that have other topics now.
    package mutating func remove(_ topics: [Topic]) -> Set<Int> {
        var changed: Set<Int> = []
        for topic in Set(topics) {
            guard let count = references[topic] else { continue }
            references[topic] = count > 1 ? count - 1 : nil
            if count == 1 { release(topic, &changed) }
        }
        return changed
    }

    /// These topics and no other ones, with one user each.
    ///
    /// - Returns: the shards that have other topics now.
    /// - Throws: as `add(_:)`.
    package mutating func replace(with topics: [Topic]) throws(ChannelFailure) -> Set<Int> {
        let unique = Set(topics)
        var next = self
        var changed: Set<Int> = []
        for topic in references.keys where !unique.contains(topic) {
            next.references[topic] = nil
            next.release(topic, &changed)
        }
        for topic in next.references.keys { next.references[topic] = 0 }
        changed.formUnion(try next.add(topics))
        self = next
        return changed
    }

    private mutating func release(_ topic: Topic, _ changed: inout Set<Int>) {
        let resource = topic.resource
        guard var list = places[resource],
            let index = list.firstIndex(where: { $0.members.contains(topic) })
        else { return }
        let shard = list[index].shard
        changed.insert(shard)
        list[index].members.removeAll { $0 == topic }
        if let rest = Topic.combined(list[index].members).first?.topic {
            list[index].topic = rest
        } else {
            list.remove(at: index)
            shards[shard].placeCount -= 1
            if !list.contains(where: { $0.shard == shard }) { shards[shard].resources.removeAll { $0 == resource } }
        }
        places[resource] = list.isEmpty ? nil : list
    }

    // MARK: - Placing

    private mutating func place(_ new: [Topic]) throws(ChannelFailure) -> Set<Int> {
        var changed: Set<Int> = []
        var groups = Dictionary(grouping: new, by: \.resource)
            .map { (hash: $0.key.stableHash, resource: $0.key, places: Topic.combined($0.value)) }
        groups.sort { ($0.hash, $0.resource.rawValue) < ($1.hash, $1.resource.rawValue) }
        let count = groups.reduce(0) { $0 + $1.places.count }
        var limit = min(ShardPlan.easyLimit, size)
        if shards.isEmpty {
            let least = min(max(1, (count + size - 1) / size), capacity)
            shards = Array(repeating: Shard(), count: least)
            limit = min((count + least - 1) / least, size)
        }
        var missing = 0
        for group in groups {
            missing += place(group.places, of: group.resource, limit: limit, &changed)
        }
        guard missing == 0 else { throw .tooManyTopics(places: placeCount + missing, shards: capacity, size: size) }
        return changed
    }

    /// - Returns: for how many places there is no room.
    private mutating func place(
        _ new: [Combination], of resource: Topic, limit: Int, _ changed: inout Set<Int>
    ) -> Int {
        if let home = places[resource]?.first?.shard {
            if isRoom(for: new.count, in: home, limit: size) {
                put(new, of: resource, in: home, &changed)
            } else {
                combineAgain(new.flatMap(\.members), of: resource, &changed)
            }
        } else if let shard = shard(for: new.count, limit: limit) {
            put(new, of: resource, in: shard, &changed)
        }
        // No shard has room for all topics of the resource.
        let placed = Set(places[resource]?.flatMap(\.members) ?? [])
        var missing = 0
        for combination in new where !placed.contains(combination.members[0]) {
            if let shard = shard(for: 1, limit: size) {
                put([combination], of: resource, in: shard, &changed)
            } else {
                missing += 1
            }
        }
        return missing
    }

    private func isRoom(for count: Int, in shard: Int, limit: Int) -> Bool {
        shards[shard].placeCount + count <= limit
    }

    /// The shard for a new resource.
    private mutating func shard(for count: Int, limit: Int) -> Int? {
        for limit in [limit, size] {
            if let shard = shards.indices.first(where: { isRoom(for: count, in: $0, limit: limit) }) { return shard }
        }
        guard shards.count < capacity, count <= size else { return nil }
        shards.append(Shard())
        return shards.count - 1
    }

    private mutating func put(
        _ new: [Combination], of resource: Topic, in shard: Int, _ changed: inout Set<Int>
    ) {
        let list = places[resource] ?? []
        if !list.contains(where: { $0.shard == shard }) { shards[shard].resources.append(resource) }
        places[resource] = list + new.map { Place(topic: $0.topic, members: $0.members, shard: shard) }
        shards[shard].placeCount += new.count
        changed.insert(shard)
    }

    /// The shard of the resource is full: its topics there and the new ones share places, if that makes room.
    private mutating func combineAgain(_ new: [Topic], of resource: Topic, _ changed: inout Set<Int>) {
        guard let list = places[resource], let home = list.first?.shard else { return }
        let present = list.filter { $0.shard == home }
        let combined = Topic.combined(present.flatMap(\.members) + new)
        guard isRoom(for: combined.count - present.count, in: home, limit: size) else { return }
        shards[home].placeCount += combined.count - present.count
        places[resource] =
            combined.map { Place(topic: $0.topic, members: $0.members, shard: home) }
            + list.filter { $0.shard != home }
        changed.insert(home)
    }
}

extension ChannelFailure {
    static func tooManyTopics(places: Int, shards: Int, size: Int) -> ChannelFailure {
        ChannelFailure(
            kind: .subscription, reason: .subscriptionRefused, phase: .subscribe,
            message: "the topics need \(places) places, and \(shards) channels have \(shards * size)")
    }
}

extension Topic {
    /// What a topic is about: its name through the first identifier in the form of a UUID, or without the last part.
    fileprivate var resource: Topic {
        let name = rawValue.utf8
        let end = name.firstIndex(of: UInt8(ascii: "?")) ?? name.endIndex
        var last: String.Index?
        var start = name.startIndex
        for index in name[..<end].indices where name[index] == UInt8(ascii: ".") {
            if name[start..<index].isUUID { return Topic(String(rawValue[..<index])) }
            last = index
            start = name.index(after: index)
        }
        return Topic(String(rawValue[..<(end < name.endIndex ? end : last ?? end)]))
    }

    /// The same in every run: FNV-1a of the bytes, with its high bits mixed into the low ones.
    fileprivate var stableHash: UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in rawValue.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        var mixer = SplitMix64(seed: hash)
        return mixer.next()
    }
}

extension Substring.UTF8View {
    /// Eight, four, four, four and twelve hexadecimal digits.
    fileprivate var isUUID: Bool {
        guard count == 36 else { return false }
        return enumerated().allSatisfy { offset, byte in
            [8, 13, 18, 23].contains(offset) ? byte == UInt8(ascii: "-") : ASCII.isHexDigit(byte)
        }
    }
}
