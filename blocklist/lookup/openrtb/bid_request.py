"""The fields of a bid request that name the place of the ad, in the order in which they are judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from blocklist.lookup.cached_verdicts import APP, DOMAIN, PAGE, STORE_PAGE, TextKind
from blocklist.lookup.limits import TooLargeError
from blocklist.lookup.openrtb.bid_json import DECODERS, InexactError, TypedDecoder, Unreadable, decode_exactly
from blocklist.lookup.openrtb.members import Chain, Channel, Node, Request, Text

#: The most bytes of a bid request; usual are a few thousand.
MAX_BYTES = 1_048_576
#: The most fields to judge. A request with more is refused, not judged in part.
MAX_FIELDS = 1_000

#: A field to judge: its name, such as ``site.page``, its kind and its value. A plain tuple: a request has many, and a
#: NamedTuple is slower to make.
BidField = tuple[str, TextKind, Text]


class BidRequest(NamedTuple):
    """The fields of a bid request in the order in which they are judged, and those that could not be read.

    ``requests`` are the decoded objects: one, or in 3.0 the envelope and what is in it.
    """

    fields: list[BidField]
    unreadable: list[Unreadable]
    requests: list[Request]

    @property
    def id(self) -> Any:
        """The id of the request, of any type."""
        return self.requests[-1].id

    @property
    def envelope(self) -> dict[str, Any] | None:
        """The first members of a response in OpenRTB 3.0; None for 2.x."""
        envelope = self.requests[0].openrtb
        if envelope is None:
            return None
        members = {"ver": envelope.ver, "domainspec": envelope.domainspec, "domainver": envelope.domainver}
        return {name: value for name, value in members.items() if isinstance(value, str)}

    @property
    def channels(self) -> list[Channel]:
        """All sites, apps and screens, of which there should be one."""
        owners = [owner for request in self.requests for owner in (request, request.context) if owner]
        return [channel for owner in owners for channel in (owner.site, owner.app, owner.dooh) if channel]

    @property
    def nodes(self) -> list[tuple[str, Node]]:
        """The nodes of all supply chains, each with the name of its field."""
        chains = [each for request in self.requests for each in _chains(request, DECODERS.decoder)]
        return [(f"{path}.nodes[{i}]", node) for path, chain in chains for i, node in enumerate(chain.nodes or ())]


def read_bid_request(body: bytes) -> BidRequest:
    """Return the fields to judge of a bid request.

    :raises TooLargeError: it exceeds :data:`MAX_BYTES` or :data:`MAX_FIELDS`.
    :raises ValueError: it is not JSON, not an object, or has a member twice.
    """
    if len(body) > MAX_BYTES:
        raise TooLargeError(f"the bid request is larger than {MAX_BYTES:,} bytes")
    decoder = DECODERS.decoder
    try:
        read = _bid_request(decoder.decode(body), decoder, [])
        exact = len(decoder.seen) == len(read.fields)
    except InexactError:
        exact = False
    if not exact:
        # A member is there twice, in another case, of another type, or none of OpenRTB's.
        unreadable: list[Unreadable] = []
        read = _bid_request(decode_exactly(body, unreadable), decoder, unreadable)
    if len(read.fields) > MAX_FIELDS:
        raise TooLargeError(f"the bid request has {len(read.fields):,} fields to judge, more than {MAX_FIELDS:,}")
    return read


def _bid_request(request: Request, decoder: TypedDecoder, unreadable: list[Unreadable]) -> BidRequest:
    fields: list[BidField] = []
    requests = [request]
    _add_fields(fields, request, decoder)
    while request.openrtb is not None and request.openrtb.request is not None:
        request = request.openrtb.request
        requests.append(request)
        _add_fields(fields, request, decoder)
    return BidRequest(fields, unreadable, requests)


def _add_fields(fields: list[BidField], request: Request, decoder: TypedDecoder) -> None:
    """Add the fields of a request; their order decides which one an answer names."""
    for owner in (request, request.context):
        if owner is not None:
            for channel, add in ((owner.site, _add_site), (owner.app, _add_app), (owner.dooh, _add_dooh)):
                if channel is not None:
                    add(fields, channel, decoder)
    for path, chain in _chains(request, decoder):
        for index, node in enumerate(chain.nodes or ()):
            if node.domain is not None:
                fields.append((f"{path}.nodes[{index}].domain", DOMAIN, node.domain))
            if node.asi is not None:
                fields.append((f"{path}.nodes[{index}].asi", DOMAIN, node.asi))


def _chains(request: Request, decoder: TypedDecoder) -> list[tuple[str, Chain]]:
    """Return the supply chains of a request, each with the name of its field."""
    chains: list[tuple[str, Chain]] = []
    source = request.source
    if source is not None:
        if source.schain is not None:
            chains.append(("source.schain", source.schain))
        if source.ext and (chain := decoder.chain(source.ext)):
            chains.append(("source.ext.schain", chain))
    if request.ext and (chain := decoder.chain(request.ext)):
        chains.append(("ext.schain", chain))
    return chains


def _field_adder(name: str) -> Callable[[list[BidField], Channel, TypedDecoder], None]:
    """Return a function that adds the fields of a site, app or screen. Their names are made here, once."""
    page, bundle, storeid, domain, storeurl, ref, partner = (
        f"{name}.{member}"
        for member in ("page", "bundle", "storeid", "domain", "storeurl", "ref", "inventorypartnerdomain")
    )
    publisher, pub, url = f"{name}.publisher.domain", f"{name}.pub.domain", f"{name}.content.url"
    ext_partner = f"{name}.ext.inventorypartnerdomain"
    parties = tuple((role, f"{name}.content.{role}.domain") for role in ("producer", "network", "channel"))

    # One statement for each field: a loop over their names takes three times as long.
    def add(fields: list[BidField], channel: Channel, decoder: TypedDecoder) -> None:  # noqa: PLR0912
        if channel.page is not None:
            fields.append((page, PAGE, channel.page))
        if channel.bundle is not None:
            fields.append((bundle, APP, channel.bundle))
        if channel.storeid is not None:
            fields.append((storeid, APP, channel.storeid))
        if channel.domain is not None:
            fields.append((domain, DOMAIN, channel.domain))
        if channel.storeurl is not None:
            fields.append((storeurl, STORE_PAGE, channel.storeurl))
        if channel.ref is not None:
            fields.append((ref, PAGE, channel.ref))
        if channel.inventorypartnerdomain is not None:
            fields.append((partner, DOMAIN, channel.inventorypartnerdomain))
        if channel.ext and (domain_in_ext := decoder.partner(channel.ext)) is not None:
            fields.append((ext_partner, DOMAIN, domain_in_ext))
        if channel.publisher is not None and channel.publisher.domain is not None:
            fields.append((publisher, DOMAIN, channel.publisher.domain))
        if channel.pub is not None and channel.pub.domain is not None:
            fields.append((pub, DOMAIN, channel.pub.domain))
        content = channel.content
        if content is not None:
            if content.url is not None:
                fields.append((url, PAGE, content.url))
            for role, label in parties:
                party = getattr(content, role)
                if party is not None and party.domain is not None:
                    fields.append((label, DOMAIN, party.domain))

    return add


_add_site, _add_app, _add_dooh = _field_adder("site"), _field_adder("app"), _field_adder("dooh")
