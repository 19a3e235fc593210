"""Reading bid requests: OpenRTB 2.x and 3.0 with AdCOM 1.0, down to the places that they name and no further.

A typed decoder reads the few members that matter and skips the rest unread, a fifth of the time that decoding all of it
takes. What it cannot read (a member of the wrong type) a second, tolerant way reads in full.

A JSON object may name a member twice, and parsers differ on which one counts (RFC 8259, 4): a request that this reader
and the bidder read differently is a way round the list. So the decoder counts every place that goes by, and a request
in which one was overwritten is refused.
"""

from __future__ import annotations

import json
import threading
from abc import ABC
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec

from blocklist.lookup.cached_verdicts import APP, DOMAIN, PAGE, STORE
from blocklist.lookup.limits import TooLargeError

#: A bid request has a few kilobytes; above this it is not one.
MAX_BYTES = 1_048_576
#: Places judged in one request. More is refused rather than half judged.
MAX_PLACES = 1_000

if TYPE_CHECKING:
    Text = str | int
else:

    class Text(ABC):  # noqa: B024
        """A string (or a number, which some exchanges send for numeric app ids): a type for the decoder to report."""

    Text.register(str)
    Text.register(int)


#: One place that a request names: where it stands in the request, how it is read, and its text.
Place = tuple[str, int, Text]


class _Party(msgspec.Struct):
    domain: Text | None = None


class _Content(msgspec.Struct):
    url: Text | None = None
    producer: _Party | None = None
    network: _Party | None = None
    channel: _Party | None = None


class _Channel(msgspec.Struct):
    """A site, app or screen: the members of all three in 2.x and in AdCOM, where ``publisher`` is called ``pub``."""

    page: Text | None = None
    domain: Text | None = None
    ref: Text | None = None
    bundle: Text | None = None
    storeid: Text | None = None
    storeurl: Text | None = None
    inventorypartnerdomain: Text | None = None
    publisher: _Party | None = None
    pub: _Party | None = None
    content: _Content | None = None


class _Node(msgspec.Struct):
    domain: Text | None = None
    asi: Text | None = None


class _Chain(msgspec.Struct):
    nodes: list[_Node] | None = None


class _Ext(msgspec.Struct):
    schain: _Chain | None = None


class _Source(msgspec.Struct):
    schain: _Chain | None = None
    ext: _Ext | None = None


class _Context(msgspec.Struct):
    site: _Channel | None = None
    app: _Channel | None = None
    dooh: _Channel | None = None


class _Request(msgspec.Struct):
    id: Any = None
    site: _Channel | None = None
    app: _Channel | None = None
    dooh: _Channel | None = None
    context: _Context | None = None
    source: _Source | None = None
    ext: _Ext | None = None
    openrtb: _Envelope | None = None


class _Envelope(msgspec.Struct):
    ver: Any = None
    domainspec: Any = None
    domainver: Any = None
    request: _Request | None = None


class BidRequest(NamedTuple):
    """What a bid request names, in the order in which it is judged, and what could not be read of it.

    ``wrong`` holds fields and what is wrong with each. ``envelope`` is what an answer in the terms of OpenRTB 3.0
    begins with; None for 2.x.
    """

    id: Any
    places: list[Place]
    wrong: list[tuple[str, str]]
    envelope: dict[str, Any] | None


def read_bid_request(body: bytes) -> BidRequest:
    """Return what a bid request names.

    :raises TooLargeError: it is larger than a bid request is, or names more places.
    :raises ValueError: it is not JSON, not an object, or names a place twice.
    """
    if len(body) > MAX_BYTES:
        raise TooLargeError(f"the bid request is larger than {MAX_BYTES:,} bytes")
    wrong: list[tuple[str, str]] = []
    seen = _DECODER.seen
    seen.clear()
    try:
        request = _DECODER.decode(body)
        count = len(seen)
    except msgspec.ValidationError:
        request, count = _tolerant(_Request, _load(body), "", wrong), None
    except (ValueError, RecursionError) as error:
        raise _not_read(error) from None
    places: list[Place] = []
    top = layer = request
    while True:
        _add_places(places, layer)
        if layer.openrtb is None or layer.openrtb.request is None:
            break
        layer = layer.openrtb.request
    if count is not None and count != len(places):
        _load(body)
        raise ValueError("the body names a place twice")
    if len(places) > MAX_PLACES:
        raise TooLargeError(f"the bid request names {len(places):,} places, more than {MAX_PLACES:,}")
    return BidRequest(layer.id, places, wrong, _envelope(top.openrtb) if top.openrtb else None)


def _add_places(places: list[Place], request: _Request) -> None:
    """Add the places of a request; this order decides which field an answer names."""
    for owner in (request, request.context):
        if owner is not None:
            for channel, add in ((owner.site, _add_site), (owner.app, _add_app), (owner.dooh, _add_dooh)):
                if channel is not None:
                    add(places, channel)
    source = request.source
    if source is not None:
        _add_nodes(places, source.schain, "source.schain")
        if source.ext is not None:
            _add_nodes(places, source.ext.schain, "source.ext.schain")
    if request.ext is not None:
        _add_nodes(places, request.ext.schain, "ext.schain")


def _adder(name: str) -> Callable[[list[Place], _Channel], None]:
    """Return what adds the places of a site, app or screen; the names of its fields are made once, here."""
    page, bundle, storeid, domain, storeurl, ref, partner = (
        f"{name}.{field}"
        for field in ("page", "bundle", "storeid", "domain", "storeurl", "ref", "inventorypartnerdomain")
    )
    publisher, pub, url = f"{name}.publisher.domain", f"{name}.pub.domain", f"{name}.content.url"
    makers = tuple((maker, f"{name}.content.{maker}.domain") for maker in ("producer", "network", "channel"))

    # Written out field by field: a loop over their names takes three times as long.
    def add(places: list[Place], channel: _Channel) -> None:  # noqa: PLR0912
        if channel.page is not None:
            places.append((page, PAGE, channel.page))
        if channel.bundle is not None:
            places.append((bundle, APP, channel.bundle))
        if channel.storeid is not None:
            places.append((storeid, APP, channel.storeid))
        if channel.domain is not None:
            places.append((domain, DOMAIN, channel.domain))
        if channel.storeurl is not None:
            places.append((storeurl, STORE, channel.storeurl))
        if channel.ref is not None:
            places.append((ref, PAGE, channel.ref))
        if channel.inventorypartnerdomain is not None:
            places.append((partner, DOMAIN, channel.inventorypartnerdomain))
        if channel.publisher is not None and channel.publisher.domain is not None:
            places.append((publisher, DOMAIN, channel.publisher.domain))
        if channel.pub is not None and channel.pub.domain is not None:
            places.append((pub, DOMAIN, channel.pub.domain))
        content = channel.content
        if content is not None:
            if content.url is not None:
                places.append((url, PAGE, content.url))
            for maker, label in makers:
                party = getattr(content, maker)
                if party is not None and party.domain is not None:
                    places.append((label, DOMAIN, party.domain))

    return add


_add_site, _add_app, _add_dooh = _adder("site"), _adder("app"), _adder("dooh")


def _add_nodes(places: list[Place], chain: _Chain | None, where: str) -> None:
    if chain is not None and chain.nodes is not None:
        for index, node in enumerate(chain.nodes):
            if node.domain is not None:
                places.append((f"{where}.nodes[{index}].domain", DOMAIN, node.domain))
            if node.asi is not None:
                places.append((f"{where}.nodes[{index}].asi", DOMAIN, node.asi))


def _envelope(envelope: _Envelope) -> dict[str, Any]:
    said = {"ver": envelope.ver, "domainspec": envelope.domainspec, "domainver": envelope.domainver}
    return {name: value for name, value in said.items() if isinstance(value, str)}


class _Decoder(threading.local):
    """A decoder for each thread, with the places that it saw go by, overwritten ones included."""

    def __init__(self) -> None:
        seen: list[Text] = []

        def see(_: type, text: Any) -> Any:
            seen.append(text)
            return text

        self.seen = seen
        self.decode = msgspec.json.Decoder(_Request, dec_hook=see).decode


_DECODER = _Decoder()
_STRUCTS: tuple[type[msgspec.Struct], ...] = (
    *(_Party, _Content, _Channel, _Node, _Chain, _Ext, _Source, _Context, _Request, _Envelope),
)
#: Members that may not be named twice.
_NAMES = frozenset(name for struct in _STRUCTS for name in struct.__struct_fields__) - {"id", "ver"}
#: Which member holds which object.
_OBJECTS: dict[str, type[msgspec.Struct]] = {
    **dict.fromkeys(("site", "app", "dooh"), _Channel),
    **dict.fromkeys(("publisher", "pub", "producer", "network", "channel"), _Party),
    **{"content": _Content, "schain": _Chain, "ext": _Ext, "source": _Source},
    **{"context": _Context, "openrtb": _Envelope, "request": _Request},
}
_ANYTHING = frozenset({"id", "ver", "domainspec", "domainver"})
_Struct = TypeVar("_Struct", bound=msgspec.Struct)


def _load(body: bytes) -> Any:
    """Return all of a JSON text.

    :raises ValueError: it is not JSON, or names a member twice that matters.
    """
    try:
        return json.loads(body, object_pairs_hook=_once, parse_constant=_not_json)
    except (ValueError, RecursionError) as error:
        raise _not_read(error) from None


def _not_read(error: Exception) -> ValueError:
    """Return what to tell a caller; how deep and how long is too much is Python's affair, and so is its advice."""
    why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error).partition(";")[0]
    return ValueError(f"the body is not JSON that can be read: {why}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = [name for name in made if name in _NAMES and names.count(name) > 1]
        if twice:
            raise ValueError(f"an object names {twice[0]!r} twice")
    return made


def _not_json(constant: str) -> Any:
    raise ValueError(f"{constant} is no number of JSON")


def _tolerant(struct: type[_Struct], raw: Any, where: str, wrong: list[tuple[str, str]]) -> _Struct:
    """Return a structure of whatever of it can be read; the rest goes to ``wrong``.

    :raises ValueError: the whole is not an object.
    """
    if not isinstance(raw, dict):
        raise ValueError("a bid request is a JSON object")
    read: dict[str, Any] = {}
    for name in struct.__struct_fields__:
        value = raw.get(name)
        field = f"{where}{name}"
        if value is None or name in _ANYTHING:
            read[name] = value
        elif name == "nodes" and isinstance(value, list):
            nodes = [node if isinstance(node, dict) else {} for node in value]
            wrong += [(f"{field}[{i}]", "must be an object") for i, node in enumerate(value) if node is not nodes[i]]
            read[name] = [_tolerant(_Node, node, f"{field}[{i}].", wrong) for i, node in enumerate(nodes)]
        elif name in _OBJECTS and isinstance(value, dict):
            read[name] = _tolerant(_OBJECTS[name], value, f"{field}.", wrong)
        elif name in _OBJECTS or name == "nodes":
            wrong.append((field, "must be an object" if name in _OBJECTS else "must be a list"))
        elif isinstance(value, str | int):
            read[name] = value
        else:
            wrong.append((field, "must be a string"))
    return struct(**read)
