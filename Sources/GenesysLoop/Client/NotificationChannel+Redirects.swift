/// Redirects at the upgrade: a link ends, and another one of the same name opens where it pointed. The machine hears
/// nothing of it.
extension NotificationChannel {
    /// Follows the end of a link to where it points, if it does and may.
    ///
    /// - Returns: whether another link is under way; otherwise `end` says why.
    func redirect(_ link: Link, _ end: inout LinkEnd) -> Bool {
        let limit = terms.configuration.maxRedirects
        guard limit > 0, let status = end.failure.status else { return false }
        var trail = driver.trails[link.id] ?? RedirectTrail(link.uri, limit: limit)
        do throws(RedirectTrail.Fault) {
            guard try trail.follow(status: status, location: end.location) else { return false }
        } catch {
            end.failure.note(error, status: status)
            return false
        }
        do throws(ChannelFailure) {
            let target = try terms.link(along: trail, on: loop)
            driver.trails[link.id] = trail
            driver.addresses.succeeded()
            connect(link.id, to: trail.uri, target)
        } catch {
            end.failure = error
            return false
        }
        return true
    }
}

extension ChannelFailure {
    /// Says why a redirect was not followed.
    mutating func note(_ fault: RedirectTrail.Fault, status: Int) {
        underlying = .init(operation: "RFC 9110 §15.4", code: status, text: fault.description)
    }
}

extension TLSConfiguration {
    /// The same for a server that was not the host's choice: who we are is no business of its.
    var crossOrigin: TLSConfiguration {
        var tls = self
        tls.identity = nil
        tls.serverName = nil
        return tls
    }
}
