"""The members of a bid request as types for its decoder: OpenRTB 2.5 and 2.6, and 3.0 with AdCOM 1.0.

Every object that holds something to judge has a type with all members that the specifications name, so that the decoder
refuses any other member there. It may be a judged one in another case. What is judged has the type :data:`Text`. The
rest is skipped: as :class:`msgspec.Raw` where an object or a list is usual, which then is not decoded.
"""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from msgspec import Raw

#: The value of a skipped member that is missing.
_ABSENT = Raw()

if TYPE_CHECKING:
    Text = str | int
    ChannelExtension: TypeAlias = "ChannelExt | None"
    ChainExtension: TypeAlias = "ChainExt | None"
else:

    class Text(ABC):  # noqa: B024
        """A string, or a number, which some exchanges send as app id. For this type the decoder calls its hook."""

    Text.register(str)
    Text.register(int)
    #: The members of ``ext`` are the sender's own. They are decoded in a second step: see :mod:`.bid_json`.
    ChannelExtension = ChainExtension = Raw


class _Object(msgspec.Struct, forbid_unknown_fields=True):
    """An object in which an unknown member is an error."""


class Party(_Object):
    """A publisher, producer, network or channel."""

    id: Any = None
    name: Any = None
    domain: Text | None = None
    cat: Raw = _ABSENT
    cattax: Any = None
    ext: Raw = _ABSENT


class Content(_Object):
    """What the place of the ad shows."""

    id: Any = None
    episode: Any = None
    title: Any = None
    series: Any = None
    season: Any = None
    artist: Any = None
    genre: Any = None
    genres: Raw = _ABSENT
    gtax: Raw = _ABSENT
    album: Any = None
    isrc: Any = None
    producer: Party | None = None
    url: Text | None = None
    cattax: Any = None
    cat: Raw = _ABSENT
    prodq: Any = None
    videoquality: Any = None
    context: Any = None
    contentrating: Any = None
    rating: Any = None
    userrating: Any = None
    urating: Any = None
    qagmediarating: Any = None
    mrating: Any = None
    keywords: Any = None
    kwarray: Raw = _ABSENT
    livestream: Any = None
    live: Any = None
    sourcerelationship: Any = None
    srcrel: Any = None
    len: Any = None
    language: Any = None
    lang: Any = None
    langb: Any = None
    embeddable: Any = None
    embed: Any = None
    data: Raw = _ABSENT
    network: Party | None = None
    channel: Party | None = None
    ext: Raw = _ABSENT


class Channel(_Object):
    """A site, app or screen: the members of all three in 2.x and AdCOM, which calls the publisher ``pub``."""

    id: Any = None
    name: Any = None
    domain: Text | None = None
    page: Text | None = None
    ref: Text | None = None
    bundle: Text | None = None
    storeid: Text | None = None
    storeurl: Text | None = None
    cat: Raw = _ABSENT
    cattax: Any = None
    sectioncat: Raw = _ABSENT
    sectcat: Raw = _ABSENT
    pagecat: Raw = _ABSENT
    search: Any = None
    mobile: Any = None
    amp: Any = None
    ver: Any = None
    privacypolicy: Any = None
    privpolicy: Any = None
    paid: Any = None
    venue: Raw = _ABSENT
    venuetype: Any = None
    venuetypetax: Any = None
    fixed: Any = None
    etime: Any = None
    dpi: Any = None
    inventorypartnerdomain: Text | None = None
    publisher: Party | None = None
    pub: Party | None = None
    content: Content | None = None
    keywords: Any = None
    kwarray: Raw = _ABSENT
    ext: ChannelExtension = _ABSENT  # type: ignore[assignment]


class Node(_Object):
    """A seller in a supply chain."""

    asi: Text | None = None
    #: The seller's id at ``asi``: copied into answers, not judged.
    sid: Any = None
    hp: Any = None
    rid: Any = None
    name: Any = None
    domain: Text | None = None
    ext: Raw = _ABSENT


class Chain(_Object):
    """A supply chain."""

    ver: Any = None
    complete: Any = None
    nodes: list[Node] | None = None
    ext: Raw = _ABSENT


class ChannelExt(msgspec.Struct):
    """The extension of a site, app or screen: 2.5 has there what 2.6 has in the object itself."""

    inventorypartnerdomain: Text | None = None


class ChainExt(msgspec.Struct):
    """The extension of a source (2.5) or a request (2.4) with its supply chain."""

    schain: Chain | None = None


class Source(_Object):
    """Where the request comes from."""

    fd: Any = None
    tid: Any = None
    pchain: Any = None
    ts: Any = None
    ds: Any = None
    dsmap: Raw = _ABSENT
    cert: Any = None
    digest: Any = None
    schain: Chain | None = None
    ext: ChainExtension = _ABSENT  # type: ignore[assignment]


class Context(_Object):
    """The context of a request in 3.0."""

    site: Channel | None = None
    app: Channel | None = None
    dooh: Channel | None = None
    user: Raw = _ABSENT
    device: Raw = _ABSENT
    regs: Raw = _ABSENT
    restrictions: Raw = _ABSENT
    ext: Raw = _ABSENT


class Request(_Object):
    """A request: the members of 2.x and 3.0."""

    id: Any = None
    at: Any = None
    tmax: Any = None
    cur: Raw = _ABSENT
    bcat: Raw = _ABSENT
    badv: Raw = _ABSENT
    imp: Raw = _ABSENT
    site: Channel | None = None
    app: Channel | None = None
    dooh: Channel | None = None
    device: Raw = _ABSENT
    source: Source | None = None
    user: Raw = _ABSENT
    regs: Raw = _ABSENT
    test: Any = None
    wseat: Raw = _ABSENT
    bseat: Raw = _ABSENT
    seat: Raw = _ABSENT
    allimps: Any = None
    wlang: Raw = _ABSENT
    wlangb: Raw = _ABSENT
    acat: Raw = _ABSENT
    cattax: Any = None
    bapp: Raw = _ABSENT
    cdata: Raw = _ABSENT
    package: Raw = _ABSENT
    item: Raw = _ABSENT
    context: Context | None = None
    openrtb: Envelope | None = None
    ext: ChainExtension = _ABSENT  # type: ignore[assignment]


class Envelope(_Object):
    """The outermost object of 3.0."""

    ver: Any = None
    domainspec: Any = None
    domainver: Any = None
    request: Request | None = None
    response: Raw = _ABSENT
