internal import GenesysLoop

/// Some of the topics that `GET …/availabletopics` lists: each kind of requirement, of transport and of visibility.
///
/// The permissions of queue observations are those of the real service; the others are plausible.
enum TopicCatalog {
    /// One entity of the listing.
    struct Entry: Sendable {
        /// The topic, with `{id}` for each id.
        let id: String
        let description: String
        var permissions: [String] = []
        /// The `type` of its `permissionDetails`.
        var requirement = "requiresPermissions"
        var transports = ["All"]
        var isPreview = false
    }

    static let entries = [
        Entry(
            id: "v2.users.{id}.presence", description: "The presence of a user.",
            permissions: ["directory:userPresence:view"]),
        Entry(
            id: "v2.users.{id}.routingStatus", description: "The routing status of a user.",
            permissions: ["routing:agentStatus:view"], requirement: "requiresDivisionPermissions"),
        Entry(
            id: "v2.users.{id}.activity", description: "Presence and routing status of a user.",
            permissions: ["directory:userActivity:view"], requirement: "requiresAnyDivisionPermissions"),
        Entry(
            id: "v2.users.{id}.conversationsummary", description: "The number of conversations of a user.",
            permissions: ["conversation:communication:view"], transports: ["Websocket"]),
        Entry(
            id: "v2.users.{id}.conversations", description: "The conversations of a user.",
            permissions: ["conversation:communication:view"], transports: ["Websocket", "ProcessAutomation"]),
        Entry(
            id: "v2.users.{id}.voicemail.messages", description: "The voicemail of the current user.",
            requirement: "requiresCurrentUser"),
        Entry(
            id: "v2.analytics.queues.{id}.observations", description: "The observations of a queue.",
            permissions: ["analytics:queueObservation:view", "analytics:conversationAggregate:view"],
            requirement: "requiresDivisionPermissions"),
        Entry(
            id: "v2.conversations.{id}.transcription", description: "The transcription of a conversation.",
            requirement: "requiresUserBeConversationParticipant"),
        Entry(
            id: "v2.audits.entitytype.{id}.entityid.{id}", description: "Changes of the configuration.",
            permissions: ["audits:audit:view"], transports: ["EventBridge"]),
        Entry(
            id: "v2.analytics.flow.{id}.aggregates", description: "Aggregates of a flow.",
            permissions: ["analytics:flowAggregate:view"], isPreview: true),
    ]

    /// The permissions that a single topic requires; a plausible one for a topic that is not listed.
    static func permissions(for topic: Topic) -> [String] {
        let parts = topic.rawValue.split(separator: ".")
        if let entry = entries.first(where: { $0.matches(parts) }), !entry.permissions.isEmpty {
            return entry.permissions
        }
        return ["\(parts.dropFirst().first ?? "v2"):\(parts.last ?? "topic"):view"]
    }

    /// The entities that a request asks for; more topics follow up to `minByteCount`.
    static func listing(_ request: SimulatedService.RESTRequest, minByteCount: Int) -> [[UInt8]] {
        let members = Set(
            request.query.filter { $0.name == "expand" }.flatMap { $0.value.split(separator: ",").map(String.init) })
        let isPreviewLeftOut = request.query.contains {
            $0.name == "includePreview" && $0.value.lowercased() == "false"
        }
        var entities = entries.filter { !($0.isPreview && isPreviewLeftOut) }.map { $0.json(with: members) }
        var missing = minByteCount - entities.reduce(0) { $0 + $1.count + 1 }
        var number = 0
        while missing > 0 {
            number += 1
            let entry = Entry(
                id: "v2.simulated.\(number).{id}", description: String(repeating: "x", count: min(missing, 4_096)))
            // Whatever the request asks for: the size is what counts.
            entities.append(entry.json(with: members.union(["description"])))
            missing -= entities[entities.count - 1].count + 1
        }
        return entities
    }
}

extension TopicCatalog.Entry {
    /// Whether a topic, as its parts between the dots, is of this kind.
    fileprivate func matches(_ topic: [Substring]) -> Bool {
        let own = id.split(separator: ".")
        return own.count == topic.count && zip(own, topic).allSatisfy { $0 == "{id}" || $0 == $1 }
    }

    /// - Parameter members: the values of `expand`.
    fileprivate func json(with members: Set<String>) -> [UInt8] {
        var object = JSONObject()
        object.add("id", id)
        if members.contains("description") { object.add("description", description) }
        if members.contains("visibility") { object.add("visibility", isPreview ? "Preview" : "Public") }
        if members.contains("transports") { object.add("transports", transports) }
        if members.contains("enforced") { object.add("enforced", json: "true".utf8) }
        if members.contains("requiresPermissions") {
            object.add("requiresPermissions", permissions)
            let isOfDivision = requirement.contains("Division")
            object.add("requiresDivisionPermissions", json: "\(isOfDivision)".utf8)
            object.add("requiresCurrentUser", json: "\(requirement == "requiresCurrentUser")".utf8)
        }
        if members.contains("permissionDetails") { object.add("permissionDetails", json: permissionDetails) }
        if members.contains("topicParameters") { object.add("topicParameters", parameters) }
        if members.contains("publicApiTemplateUriPaths") { object.add("publicApiTemplateUriPaths", []) }
        if members.contains("schema") { object.add("schema", json: #"{"type":"object"}"#.utf8) }
        return object.finished()
    }

    private var permissionDetails: [UInt8] {
        var detail = JSONObject()
        detail.add("type", requirement)
        detail.add("permissions", permissions)
        detail.add("allowsCurrentUser", json: "\(requirement == "requiresCurrentUser")".utf8)
        detail.add("enforced", json: "true".utf8)
        return [UInt8(ascii: "[")] + detail.finished() + [UInt8(ascii: "]")]
    }

    private var parameters: [String] { id.split(separator: ".").count { $0 == "{id}" } == 2 ? ["id", "id"] : ["id"] }
}
