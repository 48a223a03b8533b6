import GenesysLoop
import GenesysSimulator

/// An event in the simulated world, at a time of the script.
enum Incident: Equatable, Sendable {
    enum Cut: Equatable, Sendable {
        case reset
        /// A reset that also drops what the host's kernel held.
        case resetLosingUnread
        case endOfFile
    }

    enum Direction: Equatable, Sendable { case both, up, down }

    enum Destination: Equatable, Sendable {
        case newChannel
        case sameChannel
        case unknownChannel
    }

    // The network: the n-th of a host's open links.
    case cut(host: Int, link: Int, Cut)
    case hole(host: Int, link: Int, Direction)
    /// Packets to the service were lost for too long, so TCP gives up.
    case collapse(host: Int, LinkID)
    case stall(host: Int, link: Int, VirtualTime)
    /// New connections of this host get no answer.
    case unreachable(host: Int, VirtualTime)
    /// No server listens.
    case refusing(VirtualTime)

    // The service.
    case upgrades(SimulatedService.Configuration.Channels.Upgrade, VirtualTime)
    case replies(SimulatedService.Configuration.Commands.SubscribeReply, VirtualTime)
    case unanswered(VirtualTime)
    case quiet(heartbeats: Bool, pongs: Bool, VirtualTime)
    case maintenance(notices: Int, lead: VirtualTime)
    case disconnect(SimulatedService.Configuration.Endings.Ending)
    case notice(SimulatedService.SystemNotice)
    /// This many notices in a row that the subscriptions changed.
    case storm(Int, VirtualTime)
    case evict(host: Int)
    case expire(host: Int)
    case revoke(host: Int)
    case junk(Int)
    case normal

    // The host.
    case block(host: Int, VirtualTime)
    case suspend(host: Int, VirtualTime)
    case setClock(host: Int, VirtualTime)
    case pause(host: Int, VirtualTime)
    case resume(host: Int)
    case topics(host: Int, [Topic])
    case rollover(host: Int, Destination)
    case close(host: Int)
}
