"""The matrix: the result that a client must report for each of these servers."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from certificates import authority, leaf

HOST = "service.example.test"
# A server whose TLS is accepted answers the upgrade with 404: no earlier failure can look the same.
ACCEPTED = ("httpNotFound", 66)


@dataclass
class Case:
    """A server, the client's configuration, and the expected result."""
    name: str
    chain: list
    trust: list
    expected: tuple
    host: str = HOST
    # The server: "tls", or its behavior instead; and changes to its SSLContext.
    manner: str = "tls"
    setup: list = field(default_factory=list)
    # The client.
    client: object = None
    pins: list = field(default_factory=list)
    # The error says that the CA file holds the faulty certificate.
    names_file: bool = False


def matrix(shop):
    """All cases, with certificates made in a workshop."""
    root = shop.make("Matrix Root", authority())
    stranger = shop.make("Strange Root", authority())
    inter = shop.make("Matrix Issuer", authority(), root)
    good = shop.make(HOST, leaf(f"DNS:{HOST}"), inter)
    return [*_accepted(shop, root, inter, good), *_names(shop, root, inter), *_dates(shop, root, inter),
            *_chains(shop, root, stranger, inter, good), *_uses(shop, root, inter),
            *_pins(shop, root, stranger, inter, good), *_handshakes(root, inter, good),
            *_clients(shop, root, stranger, inter, good)]


def _accepted(shop, root, inter, good):
    def case(name, names, host=HOST, issuer=inter, sent=(inter,), trust=(root,), **options):
        changes = dict(options.pop("leaf", {}))
        certificate = shop.make(name, leaf(names, *changes.pop("more", ()), **changes), issuer, **options)
        return Case(name, [certificate, *sent], list(trust), ACCEPTED, host)

    second = shop.make("Second Issuer", authority(length=0), inter)
    new = shop.make("New Root", authority())
    old = shop.make("Old Root", authority())
    stale = shop.make("Stale Root", authority(), days=(-60, -1))
    crossed = shop.make("New Root", authority(), old, key=new)
    stale_crossed = shop.make("New Root", authority(), stale, key=new, days=(-60, -1))
    bound = shop.make("Bound Issuer", authority("nameConstraints = critical, permitted;DNS:example.test"), root)
    cases = [
        Case("good-ecdsa", [good, inter], [root], ACCEPTED),
        case("good-rsa", f"DNS:{HOST}", key="rsa2048"),
        case("good-ed25519", f"DNS:{HOST}", key="ed25519"),
        case("good-chain-of-four", f"DNS:{HOST}", issuer=second, sent=(second, inter)),
        case("good-root-sent-too", f"DNS:{HOST}", sent=(inter, root)),
        case("good-cross-signed-old-root", f"DNS:{HOST}", issuer=new, sent=(crossed,), trust=(old,)),
        case("good-cross-signed-new-root", f"DNS:{HOST}", issuer=new, sent=(crossed,), trust=(new,)),
        case("good-beside-an-expired-cross", f"DNS:{HOST}", issuer=new, sent=(stale_crossed,), trust=(new,)),
        case("good-trusted-intermediate", f"DNS:{HOST}", sent=(), trust=(inter,)),
        case("good-wildcard", "DNS:*.example.test"),
        case("good-second-name", f"DNS:other.test,DNS:{HOST}"),
        case("good-other-case", "DNS:SERVICE.Example.TEST"),
        case("good-trailing-dot", f"DNS:{HOST}", host=HOST + "."),
        case("good-idn", "DNS:xn--bcher-kva.example.test", host="xn--bcher-kva.example.test"),
        case("good-ipv4", "IP:127.0.0.1", host="127.0.0.1"),
        case("good-ipv6", "IP:::1", host="::1"),
        case("good-any-purpose", f"DNS:{HOST}", leaf={"purpose": None}),
        case("good-constrained-name", f"DNS:{HOST}", issuer=bound, sent=(bound,)),
    ]
    old_inter = shop.make("Matrix Issuer", authority(), root, key=inter, days=(-60, -1))
    coming_inter = shop.make("Matrix Issuer", authority(), root, key=inter, days=(5, 60))
    old_version = shop.make("Matrix Root", authority(), key=root, days=(-60, -1))
    names = f"DNS:{HOST}"
    cases += [
        # Other certificates of the CA file must not affect what the server sends, or what else the file holds.
        case("good-beside-an-expired-intermediate", names, trust=(root, old_inter)),
        case("good-behind-an-expired-intermediate", names, trust=(old_inter, root)),
        case("good-beside-a-coming-intermediate", names, trust=(root, coming_inter)),
        case("good-expired-intermediate-sent-too", names, sent=(old_inter, inter), trust=(old_inter, root)),
        case("good-beside-an-expired-version-of-the-root", names, trust=(old_version, root)),
        case("good-expired-version-of-the-root-sent-too", names, sent=(inter, old_version), trust=(old_version, root)),
        case("good-beside-an-expired-cross-of-the-root", names, issuer=new, sent=(), trust=(stale_crossed, stale, new)),
    ]
    # Two roots of one name, and no key identifier that shows which of them signed.
    other = shop.make("Old Root", authority())
    anonymous = {"issuer": old, "sent": (), "leaf": {"more": ["authorityKeyIdentifier = none"]}}
    cases += [case("good-before-a-root-of-the-same-name", names, trust=(old, other), **anonymous),
              case("good-behind-a-root-of-the-same-name", names, trust=(other, old), **anonymous)]
    trusted_self = shop.make("good-self-signed-and-trusted", leaf(f"DNS:{HOST}"))
    return [*cases, Case(trusted_self.name, [trusted_self], [trusted_self], ACCEPTED)]


def _names(shop, root, inter):
    def case(name, names, host=HOST, common_name="somebody"):
        certificate = shop.make(common_name, leaf(names), inter)
        return Case(name, [certificate, inter], [root], ("tlsHostMismatch", 77), host)

    return [
        case("other-name", "DNS:other.example.test"),
        case("common-name-only", None, common_name=HOST),
        case("common-name-beside-others", "DNS:other.example.test", common_name=HOST),
        case("wildcard-for-part-of-a-label", "DNS:ser*.example.test"),
        case("wildcard-for-two-labels", "DNS:*.test"),
        case("wildcard-in-the-middle", "DNS:service.*.test"),
        case("wildcard-for-the-parent", "DNS:*.service.example.test"),
        case("wildcard-in-an-idn", "DNS:xn--*.example.test", host="xn--bcher-kva.example.test"),
        case("other-idn", "DNS:xn--bcher-kva.example.test", host="xn--bcher-kvb.example.test"),
        case("name-is-a-prefix", "DNS:service.example"),
        case("mail-address-for-a-name", f"email:me@{HOST},URI:https://{HOST}/"),
        case("other-address", "IP:127.0.0.2", host="127.0.0.1"),
        case("address-as-a-dns-name", "DNS:127.0.0.1", host="127.0.0.1"),
        case("address-as-a-common-name", "DNS:localhost", host="127.0.0.1", common_name="127.0.0.1"),
        case("address-for-a-name", "IP:127.0.0.1"),
        case("other-ipv6-address", "IP:::2,IP:127.0.0.1", host="::1"),
        case("wildcard-for-an-address", "DNS:*.0.0.1", host="127.0.0.1"),
    ]


def _dates(shop, root, inter):
    def case(name, certificate, *sent, trust=(root,), reason="tlsExpired", names_file=False):
        return Case(name, [certificate, *sent], list(trust), (reason, 77), names_file=names_file)

    past = shop.make("Past Issuer", authority(), root, days=(-60, -1))
    coming = shop.make("Coming Issuer", authority(), root, days=(5, 60))
    stale = shop.make("Past Root", authority(), days=(-60, -1))
    names = f"DNS:{HOST}"
    stale_self = shop.make("expired-self-signed", leaf(names), days=(-60, -1))
    return [
        case("expired", shop.make("expired", leaf(names), inter, days=(-60, -1)), inter),
        case("not-yet-valid", shop.make("early", leaf(names), inter, days=(5, 60)), inter, reason="tlsNotYetValid"),
        case("expired-intermediate", shop.make("a", leaf(names), past), past),
        case("not-yet-valid-intermediate", shop.make("b", leaf(names), coming), coming, reason="tlsNotYetValid"),
        case("expired-root", shop.make("c", leaf(names), stale), trust=(stale,), names_file=True),
        case("expired-root-sent-too", shop.make("c2", leaf(names), stale), stale, trust=(root, stale), names_file=True),
        case("expired-intermediate-in-the-file", shop.make("a2", leaf(names), past), trust=(root, past),
             names_file=True),
        case("expired-intermediate-in-the-file-alone", shop.make("a3", leaf(names), past), past, trust=(past,),
             names_file=True),
        case("not-yet-valid-intermediate-in-the-file", shop.make("b2", leaf(names), coming), trust=(root, coming),
             reason="tlsNotYetValid", names_file=True),
        case("expired-leaf-in-the-file", stale_self, trust=(root, stale_self), names_file=True),
        case("expired-leaf-beside-an-expired-intermediate", shop.make("a4", leaf(names), inter, days=(-60, -1)), inter,
             trust=(root, past)),
        case("expired-and-another-name", shop.make("d", leaf("DNS:other.test"), inter, days=(-60, -1)), inter,
             reason="tlsHostMismatch"),
    ]


def _chains(shop, root, stranger, inter, good):
    def case(name, chain, trust=root, reason="tlsUnknownIssuer"):
        return Case(name, chain, [trust], (reason, 77))

    names = f"DNS:{HOST}"
    no_authority = shop.make("No Authority", leaf(None), root)
    no_signer = shop.make("No Signer", authority(usage="cRLSign"), root)
    short = shop.make("Short Issuer", authority(length=0), root)
    below = shop.make("Issuer Below", authority(), short)
    bound = shop.make("Bound Issuer", authority("nameConstraints = critical, permitted;DNS:other.test"), root)
    barred = shop.make("Barred Issuer", authority("nameConstraints = critical, excluded;DNS:example.test"), root)
    return [
        case("unknown-issuer", [good, inter], trust=stranger),
        case("missing-intermediate", [good]),
        case("self-signed", [shop.make("self-signed", leaf(names))], reason="tlsSelfSigned"),
        case("self-signed-and-expired", [shop.make("self-signed", leaf(names), days=(-60, -1))],
             reason="tlsSelfSigned"),
        case("untrusted-root-sent-too", [good, inter, root], trust=stranger),
        case("issuer-is-no-authority", [shop.make("e", leaf(names), no_authority), no_authority]),
        case("issuer-must-not-sign", [shop.make("f", leaf(names), no_signer), no_signer]),
        case("broken-signature", [shop.with_a_broken_signature(good), inter]),
        case("another-root-of-the-same-name", [good, inter], trust=shop.make("Matrix Root", authority())),
        case("chain-too-long", [shop.make("g", leaf(names), below), below, short], reason="tlsHandshake"),
        case("name-not-permitted", [shop.make("h", leaf(names), bound), bound], reason="tlsHandshake"),
        case("name-excluded", [shop.make("i", leaf(names), barred), barred], reason="tlsHandshake"),
    ]


def _uses(shop, root, inter):
    def case(name, certificate, *sent):
        return Case(name, [certificate, *(sent or (inter,))], [root], ("tlsHandshake", 77))

    names = f"DNS:{HOST}"
    weak = shop.make("Weak Issuer", authority(), root, key="rsa1024")
    return [
        case("for-clients-only", shop.make("j", leaf(names, purpose="clientAuth"), inter)),
        case("for-lists-only", shop.make("k", leaf(names, usage="cRLSign"), inter)),
        case("unknown-critical-extension", shop.make("l", leaf(names, "1.2.3.4 = critical, ASN1:NULL"), inter)),
        case("weak-key", shop.make("m", leaf(names), inter, key="rsa1024")),
        case("weak-key-of-an-issuer", shop.make("n", leaf(names), weak), weak),
        case("sha1-signature", shop.make("o", leaf(names), inter, digest="sha1")),
    ]


def _pins(shop, root, stranger, inter, good):
    chain = [good, inter]
    coming = shop.make(HOST, leaf(f"DNS:{HOST}"), inter)
    old_inter = shop.make("Matrix Issuer", authority(), root, key=inter, days=(-60, -1))
    return [
        Case("pinned-issuer-beside-its-expired-version", chain, [root, old_inter], ACCEPTED, pins=[inter.pin]),
        Case("pinned-leaf", chain, [root], ACCEPTED, pins=[good.pin]),
        Case("pinned-root", chain, [root], ACCEPTED, pins=[stranger.pin, root.pin]),
        Case("pin-mismatch", chain, [root], ("tlsPinMismatch", 77), pins=[stranger.pin]),
        # The pin of the current key was revoked; only that of the next key, not in use yet, is left.
        Case("pin-revoked", chain, [root], ("tlsPinMismatch", 77), pins=[coming.pin]),
        Case("pinned-but-unknown", chain, [stranger], ("tlsUnknownIssuer", 77), pins=[good.pin]),
    ]


def _tls12(context):
    context.maximum_version = ssl.TLSVersion.TLSv1_2


def _tls11(context):
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1


def _anonymous(context):
    _tls12(context)
    context.set_ciphers("aNULL:@SECLEVEL=0")


def _handshakes(root, inter, good):
    def case(name, expected, manner="tls", *setup):
        return Case(name, [good, inter], [root], expected, manner=manner, setup=list(setup))

    return [
        case("good-tls-1.2", ACCEPTED, "tls", _tls12),
        case("tls-1.1-only", ("tlsHandshake", 69), "tls", _tls11),
        case("no-common-cipher", ("tlsHandshake", 69), "tls", _anonymous),
        case("no-application-protocol", ("tlsHandshake", 69), "alert 120"),
        case("protocol-version-alert", ("tlsHandshake", 69), "alert 70"),
        case("unrecognized-name", ("tlsHandshake", 69), "alert 112"),
        case("clear-text", ("protocolViolation", 76), "clear text"),
    ]


def _clients(shop, root, stranger, inter, good):
    known = shop.make("Client", leaf(None, purpose="clientAuth"), inter)
    foreign = shop.make("Foreign Client", leaf(None, purpose="clientAuth"), stranger)
    past = shop.make("Past Client", leaf(None, purpose="clientAuth"), inter, days=(-60, -1))
    refused = ("tlsClientCertificate", 77)
    trusted = str(shop.bundle([root, inter]))

    def demand(context):
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(trusted)

    def wish(context):
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(trusted)

    cases = []
    for version, more in (("1.2", [_tls12]), ("1.3", [])):
        for manner in ("tls", "tls, reset"):
            ending = "-reset" if manner != "tls" else ""
            for name, client in (("missing", None), ("of-a-stranger", foreign), ("expired", past)):
                cases.append(Case(f"client-{name}-{version}{ending}", [good, inter], [root], refused, manner=manner,
                                  setup=[demand, *more], client=client))
        cases.append(Case(f"client-good-{version}", [good, inter], [root], ACCEPTED, setup=[demand, *more],
                          client=known))
        cases.append(Case(f"client-wished-for-{version}", [good, inter], [root], ACCEPTED, setup=[wish, *more]))
    cases.append(Case("client-not-asked-for", [good, inter], [root], ACCEPTED, client=known))
    return cases
