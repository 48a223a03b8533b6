/// What a channel does when another client takes it over.
///
/// The service has one connection for each channel: a second one ends the first. A takeover is the service's notice
/// that the subscription was lost, or a Close frame, not announced by the service, within 10 s of a confirmation.
public enum TakeoverPolicy: Hashable, Sendable {
    /// The channel takes it back, under its reconnect policy. Five takeovers within two minutes end it with
    /// ``FailureReason/channelTakenOver``, so that no two clients take it from each other
    /// without an end.
    case reconnect
    /// The channel ends at once with ``FailureReason/channelTakenOver``: for a program of which another instance is
    /// meant to take its place.
    case yield
}
