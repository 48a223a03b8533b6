internal import Logging

/// Redirects at the upgrade: the link ends, and another one opens where it pointed.
extension WebSocketClient {
    /// Follows the end of a link to where it points, if it does.
    ///
    /// - Returns: whether another link is to follow; otherwise `driver.failure` says why.
    func redirect(_ end: LinkEnd) -> Bool {
        guard let status = end.failure.status else { return false }
        let former = driver.trail
        do throws(RedirectTrail.Fault) {
            guard try driver.trail.follow(status: status, location: end.location) else { return false }
        } catch {
            driver.failure?.note(error, status: status)
            return false
        }
        do throws(ChannelFailure) {
            driver.context = try context(for: driver.trail)
            _ = try driver.proxy?.check(driver.uri)
        } catch {
            driver.failure = error
            return false
        }
        configuration.logger.debug("redirected by \(former.uri.redacted) to \(driver.uri.redacted)")
        driver.isRedirected = true
        return true
    }

    /// The terms of TLS for where the trail leads.
    private func context(for trail: RedirectTrail) throws(ChannelFailure) -> TLSContext? {
        guard trail.uri.isSecure else { return nil }
        let tls = trail.hasLeftOrigin ? configuration.tls.crossOrigin : configuration.tls
        return try loop.sharedContext(checking: tls, logger: configuration.logger)
    }
}
