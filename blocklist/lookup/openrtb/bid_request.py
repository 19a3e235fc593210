"""Reading bid requests: OpenRTB 2.x, and 3.0 with AdCOM 1.0. Only the fields to judge are read.

A typed decoder reads those few members and skips the rest: decoding everything takes five times as long. If a member
has the wrong type, a second, tolerant pass decodes everything and reads what it can.

A JSON object may contain a member twice, and parsers differ on which one counts (RFC 8259, 4): a request that this
reader and the bidder read differently would be a way around the list. So the decoder counts the fields that it sees,
and a request in which one was overwritten is refused.
"""

from __future__ import annotations

import json
import threading
from abc import ABC
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec

from blocklist.lookup.cached_verdicts import APP, DOMAIN, PAGE, STORE_PAGE, TextKind
from blocklist.lookup.limits import TooLargeError

#: The most bytes of a bid request; usual are a few thousand.
MAX_BYTES = 1_048_576
#: The most fields to judge. A request with more is refused, not judged in part.
MAX_FIELDS = 1_000

if TYPE_CHECKING:
    Text = str | int
else:

    class Text(ABC):  # noqa: B024
        """A string, or a number, which some exchanges send as app id. For this type the decoder calls its hook."""

    Text.register(str)
    Text.register(int)


#: A field to judge: its name, such as ``site.page``, its kind and its value. A plain tuple: a request has many, and a
#: NamedTuple is slower to make.
BidField = tuple[str, TextKind, Text]


class _Party(msgspec.Struct):
    domain: Text | None = None


class _Content(msgspec.Struct):
    url: Text | None = None
    producer: _Party | None = None
    network: _Party | None = None
    channel: _Party | None = None


class _Channel(msgspec.Struct):
    """A site, app or screen: the members of all three in 2.x and AdCOM, which calls the publisher ``pub``."""

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


class Unreadable(NamedTuple):
    """A field that could not be read, and the reason."""

    field: str
    error: str


class BidRequest(NamedTuple):
    """The fields of a bid request in the order in which they are judged, and those that could not be read.

    ``envelope`` holds the first members of a response in OpenRTB 3.0; None for 2.x.
    """

    id: Any
    fields: list[BidField]
    unreadable: list[Unreadable]
    envelope: dict[str, Any] | None


def read_bid_request(body: bytes) -> BidRequest:
    """Return the fields to judge of a bid request.

    :raises TooLargeError: it exceeds :data:`MAX_BYTES` or :data:`MAX_FIELDS`.
    :raises ValueError: it is not JSON, not an object, or has a member twice.
    """
    if len(body) > MAX_BYTES:
        raise TooLargeError(f"the bid request is larger than {MAX_BYTES:,} bytes")
    unreadable: list[Unreadable] = []
    seen = _DECODER.seen
    seen.clear()
    try:
        request = _DECODER.decode(body)
        count = len(seen)
    except msgspec.ValidationError:
        request, count = _read_tolerantly(_Request, _load(body), "", unreadable), None
    except (ValueError, RecursionError) as error:
        raise _json_error(error) from None
    fields: list[BidField] = []
    inner = request
    while True:
        _add_fields(fields, inner)
        if inner.openrtb is None or inner.openrtb.request is None:
            break
        inner = inner.openrtb.request
    if count is not None and count != len(fields):
        _load(body)  # its error names the member
        raise ValueError("the body has a member twice")
    if len(fields) > MAX_FIELDS:
        raise TooLargeError(f"the bid request has {len(fields):,} fields to judge, more than {MAX_FIELDS:,}")
    return BidRequest(inner.id, fields, unreadable, _envelope(request.openrtb) if request.openrtb else None)


def _add_fields(fields: list[BidField], request: _Request) -> None:
    """Add the fields of a request; their order decides which one an answer names."""
    for owner in (request, request.context):
        if owner is not None:
            for channel, add in ((owner.site, _add_site), (owner.app, _add_app), (owner.dooh, _add_dooh)):
                if channel is not None:
                    add(fields, channel)
    source = request.source
    if source is not None:
        _add_nodes(fields, source.schain, "source.schain")
        if source.ext is not None:
            _add_nodes(fields, source.ext.schain, "source.ext.schain")
    if request.ext is not None:
        _add_nodes(fields, request.ext.schain, "ext.schain")


def _field_adder(name: str) -> Callable[[list[BidField], _Channel], None]:
    """Return a function that adds the fields of a site, app or screen. Their names are made here, once."""
    page, bundle, storeid, domain, storeurl, ref, partner = (
        f"{name}.{member}"
        for member in ("page", "bundle", "storeid", "domain", "storeurl", "ref", "inventorypartnerdomain")
    )
    publisher, pub, url = f"{name}.publisher.domain", f"{name}.pub.domain", f"{name}.content.url"
    parties = tuple((role, f"{name}.content.{role}.domain") for role in ("producer", "network", "channel"))

    # One statement for each field: a loop over their names takes three times as long.
    def add(fields: list[BidField], channel: _Channel) -> None:  # noqa: PLR0912
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


def _add_nodes(fields: list[BidField], chain: _Chain | None, path: str) -> None:
    if chain is not None and chain.nodes is not None:
        for index, node in enumerate(chain.nodes):
            if node.domain is not None:
                fields.append((f"{path}.nodes[{index}].domain", DOMAIN, node.domain))
            if node.asi is not None:
                fields.append((f"{path}.nodes[{index}].asi", DOMAIN, node.asi))


def _envelope(envelope: _Envelope) -> dict[str, Any]:
    members = {"ver": envelope.ver, "domainspec": envelope.domainspec, "domainver": envelope.domainver}
    return {name: value for name, value in members.items() if isinstance(value, str)}


class _Decoder(threading.local):
    """A decoder for each thread, and the values of type Text that it has seen, overwritten ones included."""

    def __init__(self) -> None:
        seen: list[Text] = []

        def record(_: type, text: Any) -> Any:
            seen.append(text)
            return text

        self.seen = seen
        self.decode = msgspec.json.Decoder(_Request, dec_hook=record).decode


_DECODER = _Decoder()
_STRUCTS: tuple[type[msgspec.Struct], ...] = (
    _Party, _Content, _Channel, _Node, _Chain, _Ext, _Source, _Context, _Request, _Envelope,
)  # fmt: skip
#: Members that must not occur twice in an object.
_MEMBERS = frozenset(name for struct in _STRUCTS for name in struct.__struct_fields__) - {"id", "ver"}
#: The members that hold an object, and its type.
_OBJECTS: dict[str, type[msgspec.Struct]] = {
    **dict.fromkeys(("site", "app", "dooh"), _Channel),
    **dict.fromkeys(("publisher", "pub", "producer", "network", "channel"), _Party),
    **{"content": _Content, "schain": _Chain, "ext": _Ext, "source": _Source},
    **{"context": _Context, "openrtb": _Envelope, "request": _Request},
}
#: Members of any type: they are copied, not judged.
_ANY_TYPE = frozenset({"id", "ver", "domainspec", "domainver"})
_Struct = TypeVar("_Struct", bound=msgspec.Struct)


def _load(body: bytes) -> Any:
    """Return a JSON text decoded whole.

    :raises ValueError: it is not JSON, or has one of :data:`_MEMBERS` twice in an object.
    """
    try:
        return json.loads(body, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise _json_error(error) from None


def _json_error(error: Exception) -> ValueError:
    reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error).partition(";")[0]
    return ValueError(f"the body is not JSON that can be read: {reason}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = [name for name in members if name in _MEMBERS and names.count(name) > 1]
        if twice:
            raise ValueError(f"an object has the member {twice[0]!r} twice")
    return members


def _refuse_constant(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")


def _read_tolerantly(struct: type[_Struct], raw: Any, path: str, unreadable: list[Unreadable]) -> _Struct:
    """Return the members of an object that can be read; the others are added to ``unreadable``.

    ``path`` is put before the names of members, such as ``site.``.

    :raises ValueError: ``raw`` is not an object.
    """
    if not isinstance(raw, dict):
        raise ValueError("a bid request is a JSON object")
    read: dict[str, Any] = {}
    for name in struct.__struct_fields__:
        value = raw.get(name)
        field = f"{path}{name}"
        if value is None or name in _ANY_TYPE:
            read[name] = value
        elif name == "nodes" and isinstance(value, list):
            nodes = [node if isinstance(node, dict) else {} for node in value]
            unreadable += [
                Unreadable(f"{field}[{i}]", "must be an object") for i, node in enumerate(value) if node is not nodes[i]
            ]
            read[name] = [_read_tolerantly(_Node, node, f"{field}[{i}].", unreadable) for i, node in enumerate(nodes)]
        elif name in _OBJECTS and isinstance(value, dict):
            read[name] = _read_tolerantly(_OBJECTS[name], value, f"{field}.", unreadable)
        elif name in _OBJECTS or name == "nodes":
            unreadable.append(Unreadable(field, "must be an object" if name in _OBJECTS else "must be a list"))
        elif isinstance(value, str | int):
            read[name] = value
        else:
            unreadable.append(Unreadable(field, "must be a string"))
    return struct(**read)
