"""``rpz``: a response policy zone, the format of block lists for DNS resolvers.

Format: draft-vixie-dnsop-dns-rpz, in the master files of RFC 1035, section 5. dnspython's zone reader makes an object
of every name and record, and stops at the first line that it cannot read. Here a regular expression reads the usual
records, and dnspython's tokenizer the rest: quotes, parentheses, escapes.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

from pydantic import Field

from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.listing import Entry, ExactEntry, Rejected
from blocklist.formats.base import Format
from blocklist.formats.text_body import MAX_LINE, TextOptions, as_text
from blocklist.normalize.suffixes import has_known_ending, is_public_suffix

_RECORD = re.compile(
    r"(?P<owner>[^\s;\"()\\$]+)?[ \t]+(?:(?:\d[\dsmhdwSMHDW]*|[Ii][Nn])[ \t]+){0,2}"
    r"(?P<type>[A-Za-z][A-Za-z0-9-]*)[ \t]+(?P<data>[^\s;\"()\\]+)[ \t]*(?:;.*)?"
)
#: Where a parenthesis has no meaning: in an escape, a quoted text or a comment.
_NO_PARENTHESES = re.compile(r"\\.|\"(?:[^\"\\]|\\.)*\"|;[^\n]*")
_CLASSES = frozenset({"IN", "CH", "HS", "CS"})
_TTL = re.compile(r"\d[\dsmhdw]*", re.IGNORECASE)
#: Records about the zone itself or its signatures, not about a site.
_ZONE_TYPES = frozenset({"SOA", "NS", "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY", "CDS", "CDNSKEY", "ZONEMD"})
#: Targets of a CNAME that do not block: the code and the reason to reject the record.
_EXEMPTIONS = {
    "rpz-passthru": ("passthru", "is an exemption (rpz-passthru), not a listing"),
    "rpz-tcp-only": ("not_a_block", "asks for TCP (rpz-tcp-only) and blocks nothing"),
}
_OTHER_TRIGGERS = {
    "rpz-client-ip": "is about the client that asks (rpz-client-ip), not about a site",
    "rpz-nsdname": "is about a name server (rpz-nsdname): other sites share it",
    "rpz-nsip": "is about a name server's address (rpz-nsip): other sites share it",
}
#: The longest name of DNS, in characters (RFC 1035, 2.3.4).
_MAX_NAME = 253
#: Bytes in which the zone's name is looked for, and an owner there that ends in a dot.
_HEAD = 65_536
_ABSOLUTE = re.compile(r"^(?:\*\.)?([^\s;@$]+)\.[ \t]", re.MULTILINE)
_NAMED_ZONE = re.compile(r"^(?:\$ORIGIN[ \t]|[^\s;@]\S*[ \t]+(?:\S+[ \t]+){0,2}SOA[ \t])", re.IGNORECASE | re.MULTILINE)
#: The most lines of one record in parentheses; an SOA usually has seven.
_MAX_RECORD_LINES = 200


class RpzOptions(TextOptions):
    """Options of ``rpz``. ``zone``: the zone's name, if the file has neither an SOA record nor ``$ORIGIN``."""

    zone: str | None = Field(None, pattern=r"^[A-Za-z0-9_.-]{1,253}$")


class _Record(NamedTuple):
    owner: str | None
    type: str
    data: str


@dataclass(slots=True)
class _Zone:
    """The state of reading a zone: ``apex`` is its name, and names without a final dot are relative to ``origin``."""

    apex: str | None
    origin: str | None
    owner: str | None = None
    #: ``origin`` was not given by ``$ORIGIN`` but taken from the SOA's owner.
    assumed: bool = False

    def trigger(self, record: _Record) -> str | None:
        """Return the name that a record is about, without the zone's: "" for the zone itself, None if outside it."""
        if record.owner is not None:
            self.owner = self._absolute(record.owner)
        name = self.owner
        if name is None:
            return None
        if record.type == "SOA":
            self.apex = name
            if self.origin is None and name:
                self.origin, self.assumed = name, True
        if not self.apex:
            # Published zones begin with "@ SOA": the resolver that loads them sets the name.
            return name
        if name == self.apex:
            return ""
        return name[: -len(self.apex) - 1] if name.endswith("." + self.apex) else None

    def _absolute(self, owner: str) -> str:
        if owner == "@":
            return self.origin or ""
        if owner[-1] == ".":
            return owner[:-1].lower()
        if self.assumed and self.origin and f".{owner.lower()}".endswith(f".{self.origin}"):
            # Files without $ORIGIN may write the zone's name without the final dot.
            return owner.lower()
        return f"{owner.lower()}.{self.origin}" if self.origin else owner.lower()

    def set_origin(self, origin: str) -> None:
        """Apply a ``$ORIGIN``; the first one before any SOA names the zone."""
        self.origin, self.assumed = self._absolute(origin), False
        if self.apex is None and self.origin:
            self.apex = self.origin


#: The target of a record that exempts a name, and bytes read at a time in search of it.
_PASSTHRU, _BLOCK = b"rpz-passthru", 1 << 20


def parse(body: BinaryIO, options: RpzOptions) -> Iterator[Entry | Rejected]:
    """Yield one Entry per record that blocks a name or a single address; exemptions are rejected and counted.

    A name that the zone exempts is not listed, and of a host above it only the host itself.

    :raises UnreadableFeedError: the zone has ``$INCLUDE`` or ``$GENERATE``, a record in parentheses never ends, or the
        names seem to end in the zone's name and nothing says what that is.
    """
    named = options.zone.strip(".").lower() if options.zone else None
    if named is None and (ending := _unnamed_zone(body, options.encoding)):
        raise UnreadableFeedError(
            f"the names of the zone end in .{ending}, which seems to be the name of the zone itself, and neither SOA "
            f"nor $ORIGIN says so: set the option zone={ending}"
        )
    exempt = _exempted(body, options.encoding, named) if _may_exempt(body) else frozenset()
    above_exempt = {name.split(".", index)[index] for name in exempt for index in range(1, name.count(".") + 1)}
    zone = _Zone(named, named)
    for number, line in _records(body, options.encoding):
        record = _record(zone, number, line)
        if record is None:
            if line[0] != "$":
                yield Rejected(line[:200], number, "syntax", f"{line[:80].strip()!r} is not a record of a zone")
            continue
        item = _entry(record, zone, number, line)
        if type(item) is Entry and exempt:
            host = item.site.removeprefix("*.")
            if host in exempt:
                reason = f"{line[:80].strip()!r} blocks a name that the zone exempts"
                item = Rejected(line[:200], number, "excepted", reason)
            elif host in above_exempt:
                # Rules have no exceptions: only the host itself is listed, and not what is below it.
                item = ExactEntry(host, number, item.raw)
        if item is not None:
            yield item


def _record(zone: _Zone, number: int, line: str) -> _Record | None:
    """Return the record of a line; None for a directive, which is applied to the zone, and for what is no record."""
    if line[0] == "$":
        _directive(zone, number, line)
        return None
    fast = _RECORD.fullmatch(line)
    record = _Record(fast["owner"], fast["type"].upper(), fast["data"]) if fast else _tokenized(line)
    return record if record is not None and _is_type(record.type) and _has_valid_address(record) else None


def _may_exempt(body: BinaryIO) -> bool:
    """Return whether a zone may have records ``CNAME rpz-passthru.``, and leave its body where it is."""
    position, before, found = body.tell(), b"", False
    while not found and (chunk := body.read(_BLOCK)):
        found = _PASSTHRU in (before + chunk).lower()
        before = chunk[-len(_PASSTHRU) :]
    body.seek(position)
    return found


def _exempted(body: BinaryIO, encoding: str, named: str | None) -> frozenset[str]:
    """Return the names that a zone exempts, without ``*.``, and leave its body where it is."""
    position, zone, found = body.tell(), _Zone(named, named), set()
    for number, line in _records(body, encoding):
        record = _record(zone, number, line)
        trigger = zone.trigger(record) if record else None
        if record and trigger and record.type == "CNAME" and record.data.rstrip(".").lower() == "rpz-passthru":
            found.add(trigger.removeprefix("*."))
    body.seek(position)
    return frozenset(found)


def _entry(  # noqa: PLR0911 - one return per policy
    record: _Record, zone: _Zone, number: int, line: str
) -> Entry | Rejected | None:
    """Return the entry of a record, or why it is rejected; None if it is only about the zone."""
    trigger = zone.trigger(record)
    shown = line.strip()

    def rejected(code: str, why: str) -> Rejected:
        return Rejected(shown[:200], number, code, f"{shown[:80]!r} {why}")

    if trigger == "" or record.type in _ZONE_TYPES:
        return None
    if zone.owner is None:
        return rejected("syntax", "has no owner name, and no record before it has one")
    if trigger is None:
        return rejected("other_zone", f"is not in the zone {zone.apex}")
    labels = trigger.rsplit(".", 1)
    if labels[-1] in _OTHER_TRIGGERS:
        return rejected("not_a_site", _OTHER_TRIGGERS[labels[-1]])
    if record.type == "CNAME":
        target = record.data.rstrip(".").lower()
        if target in _EXEMPTIONS or target in (trigger, zone.owner):
            return rejected(*_EXEMPTIONS.get(target, _EXEMPTIONS["rpz-passthru"]))
    if labels[-1] != "rpz-ip":
        return Entry(trigger, number, shown)
    address = _single_address(labels[0])
    return (
        Entry(address, number, shown)
        if address
        else rejected("network", "is not a single address: networks make no rule")
    )


def _single_address(reverse: str) -> str | None:
    """Return the address that the labels before ``rpz-ip`` name; None for a network.

    >>> _single_address("32.4.3.2.1"), _single_address("128.1.zz.db8.2001"), _single_address("24.0.2.0.192")
    ('1.2.3.4', '[2001:db8::1]', None)
    """
    length, *parts = reverse.split(".")
    parts.reverse()
    if "zz" in parts or len(parts) > 4:
        at = parts.index("zz") if "zz" in parts else None
        text = ":".join(parts) if at is None else ":".join(parts[:at]) + "::" + ":".join(parts[at + 1 :])
    else:
        text = ".".join(parts)
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    text = f"[{address}]" if address.version == 6 else str(address)
    return text if length == str(address.max_prefixlen) else None


def _unnamed_zone(body: BinaryIO, encoding: str) -> str | None:
    """Return the name that a zone without one seems to have: what complete names of sites have behind them."""
    position = body.tell()
    head = body.read(_HEAD).decode(encoding, "ignore")
    body.seek(position)
    if _NAMED_ZONE.search(head):
        return None
    names = {name.lower() for name in _ABSOLUTE.findall(head) if len(name) <= _MAX_NAME}
    endings = Counter(
        ending
        for labels in (name.split(".") for name in names)
        for index in range(2, len(labels) - 1)
        if has_known_ending(labels[index - 1]) and not is_public_suffix(ending := ".".join(labels[index:]))
    )
    for ending, count in endings.most_common():
        if ending.startswith("rpz.") or (count > 1 and count > len(names) / 2):
            return ending
    return None


def _records(body: BinaryIO, encoding: str) -> Iterator[tuple[int, str]]:
    number = 0
    with as_text(body, encoding) as text:
        while line := text.readline(MAX_LINE):
            number += 1
            if len(line) >= MAX_LINE and not line.endswith("\n"):
                raise UnreadableFeedError(f"line {number} is longer than {MAX_LINE} characters: not a zone")
            bare = line.lstrip()
            if not bare or bare[0] == ";":
                continue
            begins, line = number, line.rstrip()
            while "(" in line and _is_open(line):
                more = text.readline(MAX_LINE)
                number += 1
                if not more or number - begins > _MAX_RECORD_LINES or len(line) > MAX_LINE:
                    raise UnreadableFeedError(f"line {begins} opens a parenthesis that is never closed")
                line += "\n" + more.rstrip()
            yield begins, line


def _is_open(record: str) -> bool:
    bare = _NO_PARENTHESES.sub("", record)
    return bare.count("(") > bare.count(")")


def _directive(zone: _Zone, number: int, line: str) -> None:
    name, *values = line.split(";", 1)[0].split()
    if name.upper() == "$ORIGIN" and values:
        zone.set_origin(values[0])
    elif name.upper() != "$TTL":
        # The records of $INCLUDE and $GENERATE are not in the body: to ignore them would lose sites silently.
        raise UnreadableFeedError(
            f"line {number}: {name[:20]} is not supported: ask the publisher for the zone as a transfer (AXFR) gives it"
        )


def _tokenized(line: str) -> _Record | None:
    import dns.exception  # noqa: PLC0415 - loaded only when a record needs it
    import dns.tokenizer  # noqa: PLC0415

    tokenizer: Any = dns.tokenizer.Tokenizer(line)
    words: list[str] = []
    try:
        inherits = line[0] in " \t"
        while not (token := tokenizer.get(want_leading=False)).is_eol_or_eof():
            words.append(token.value)
    except (dns.exception.DNSException, ValueError):
        return None
    owner = None if inherits or not words else words.pop(0)
    while words and (words[0].upper() in _CLASSES or _TTL.fullmatch(words[0])):
        words.pop(0)
    return _Record(owner, words[0].upper(), words[1]) if len(words) > 1 else None


def _has_valid_address(record: _Record) -> bool:
    """Return False for an address record without an address: the words "is A list" look like an ``A`` record."""
    if record.type not in ("A", "AAAA"):
        return True
    try:
        return ipaddress.ip_address(record.data).version == (4 if record.type == "A" else 6)
    except ValueError:
        return False


@functools.lru_cache(maxsize=256)
def _is_type(name: str) -> bool:
    import dns.exception  # noqa: PLC0415 - loaded only for zones
    import dns.rdatatype  # noqa: PLC0415

    try:
        dns.rdatatype.from_text(name)
    except (dns.exception.DNSException, ValueError):
        return False
    return True


FORMATS = (Format("rpz", RpzOptions, parse, line_based=True),)
