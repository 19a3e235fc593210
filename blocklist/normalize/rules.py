"""Convert entries to rules, and define which targets a rule matches."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass

from blocklist.domain.listing import Entry, ExactEntry, Rejected, Rule, RuleKind, Scope
from blocklist.domain.verdict import Target
from blocklist.normalize.candidates import KNOWN_HOSTS, canonical_app, one_app, page_candidates
from blocklist.normalize.entry_checks import host_defect, may_have_defect, text_defect
from blocklist.normalize.hosts import parse_target, shorten
from blocklist.normalize.link_wrappers import wrapped
from blocklist.normalize.no_site import why_no_site
from blocklist.normalize.public_addresses import is_public
from blocklist.normalize.published_text import undecorated, without_trailing_signs
from blocklist.normalize.suffixes import is_ordinary, is_public_suffix, is_top_level_domain
from blocklist.normalize.tracking import without_tracking
from blocklist.normalize.url_rules import covers_path, same_site_hosts

#: To be raised when the same entry gives another rule than before, so that an unchanged body is read again.
READING_VERSION = 4

#: Hosts that are canonical as written (no punycode to validate, no number at the end): nine in ten on real lists, and
#: recognized in a third of the time of parsing.
_CANONICAL_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z]{1,62}").fullmatch
_DEFANGED = re.compile(r"[\[({]\s*(\.|dot|:|://|/|@|at)\s*[\])}]", re.IGNORECASE)
_DEFANGED_SCHEME = re.compile(r"^\s*(?:hxxp|h\*\*p|htxp|hXXp|meow)(s?)(?=:|\[)", re.IGNORECASE)
_NETWORK = re.compile(r"[0-9a-fA-F:.]+/\d{1,3}").fullmatch
#: Longest entry, in characters. Lines of all formats are shorter; browsers accept two million, servers a few thousand.
_MAX_ENTRY = 65_536
#: An IPv4 address with four numbers. Browsers accept fewer, but in a list those are dates, counts or versions.
_QUAD = r"(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})(?![\d.])"
#: Texts that a browser might open and that name no site: a pattern for their beginning, the code, and the reason.
_NO_SITE = (
    (re.compile(r"\Z"), "empty", "names nothing"),
    (re.compile(r"[^\ufffd]*\ufffd"), "encoding", "holds bytes that are not of the feed's encoding"),
    # A browser drops these characters, and the names before and after one would become a third name.
    (re.compile(r"[^\t\r\n]*[\t\r\n]"), "unreadable", "holds a tab or a line break: it may be two names"),
    (re.compile(r"[^<>\"]*[<>\"]"), "unreadable", "holds a quote, < or >, which no address does: it may be markup"),
    (
        re.compile(rf"(?!{_QUAD})[\d.]+(?::\d*)?(?:[/?#]|\Z)"),
        "unreadable",
        "is a number, not an address: that has four numbers and three dots",
    ),
    # With a colon before the @ (a scheme or a password), it is a URL.
    (re.compile(r"[^/?#\\:@]*@[^/?#\\]"), "unreadable", "is a mailbox, not a site"),
    (re.compile(rf"(?s:.){{{_MAX_ENTRY + 1}}}"), "unreadable", f"is longer than {_MAX_ENTRY:,} characters"),
)
_QUOTES = ('""', "''", "<>", "``")
_DEFANGED_WORDS = {"dot": ".", "at": "@"}


@dataclass(frozen=True, slots=True)
class Reading:
    """How the entries of a feed are read.

    ``entries``: ``sites`` or ``apps``. ``www``: ``strip`` (``www.example.com`` means the site) or ``keep``. ``scope``:
    ``subtree`` or ``exact``, for hosts. ``top_level_domains``: those that count beside the ones of the root zone.
    ``redirects``: a link that names another site within is read as a page of the service that it leads through, and
    not rejected.
    """

    entries: str = "sites"
    www: str = "strip"
    scope: Scope = Scope.SUBTREE
    top_level_domains: frozenset[str] = frozenset()
    redirects: bool = False


#: An entry with its rule, or a row that has none.
RuledEntry = tuple[Entry, Rule] | Rejected


def rule_maker(reading: Reading) -> Callable[[Entry | Rejected], RuledEntry]:
    """Return a function that returns an entry with its rule, or as rejected; and what is rejected, unchanged."""
    make = app_rule if reading.entries == "apps" else site_rule

    def ruled(entry: Entry | Rejected) -> RuledEntry:
        # type() is twice as fast as isinstance(), but mypy does not narrow a union with it.
        if type(entry) is Rejected:
            return entry
        if entry.country is not None:  # type: ignore[union-attr]
            entry = _with_country(entry)  # type: ignore[arg-type]
        rule = make(entry, reading)  # type: ignore[arg-type]
        return rule if type(rule) is Rejected else (entry, rule)  # type: ignore[return-value]

    return ruled


def site_rule(entry: Entry, reading: Reading) -> Rule | Rejected:  # noqa: PLR0911 - one return for each reason
    """Return the rule for an entry that names a host, a URL or an IP address, in any form that lists use.

    >>> site_rule(Entry("hxxp://www.Pirate[.]example/", 1), Reading()).value
    'pirate.example'
    >>> site_rule(Entry("http://video.example/watch?v=1#t=2", 1), Reading())
    Rule(kind=<RuleKind.URL: 'url'>, value='video.example/watch?v=1', scope=<Scope.PREFIX: 'prefix'>)
    >>> site_rule(Entry("co.uk", 1), Reading()).code
    'public_suffix'
    """
    text = entry.site
    if _CANONICAL_HOST(text) and "xn--" not in text and len(text) <= 253:
        return _host_rule(text, entry, reading)
    address = _address_in(entry, reading)
    if isinstance(address, Rejected):
        return address
    try:
        target = without_tracking(parse_target(address))
    except ValueError as error:
        return _reject(entry, "unreadable", str(error))
    if target.ip is not None and not is_public(target.ip):
        return _reject(entry, "private_address", f"the address {target.ip} is not a public one")
    # A top-level domain has no dot either: it is rejected as a public suffix, and there may be URLs on it.
    if (no_site := why_no_site(target.host)) and not is_top_level_domain(target.host):
        return _reject(entry, no_site.code, no_site.reason)
    if target.path is not None and (target.path != "/" or target.params):
        if target.ip is None and (defect := host_defect(target.host, reading.top_level_domains)):
            return _reject(entry, *defect)
        if not reading.redirects and (site := _shown_site(address, target)):
            return _reject(
                entry, "redirect", f"is a page of an archive or a translator, which names another site within: {site}"
            )
        return Rule(RuleKind.URL, url_value(target), Scope.PREFIX)
    if re.search(r"#.", address):
        return _reject(entry, "fragment", "differs from its host only by a #fragment, which no request carries")
    if target.ip is not None:
        return Rule(RuleKind.IP, target.ip, Scope.EXACT)
    return _host_rule(target.host, entry, reading)


def _shown_site(address: str, target: Target) -> str | None:
    """Return the host whose page an archive or a translator shows under this address; None for other pages."""
    if not KNOWN_HOSTS.find(target.host):
        return None
    shown = (inner for inner, via in page_candidates(address) if via and inner.app is None)
    return next((inner.host for inner in shown), None)


def _address_in(entry: Entry, reading: Reading) -> str | Rejected:
    """Return the one address that an entry names, as a browser can open it, or why there is none."""
    text = published_target(entry.site)
    link = None if reading.redirects else wrapped(text)
    if link is not None:
        if link.target is None:
            return _reject(entry, "redirect", f"is a link of {link.service}, which names another site within")
        text = published_target(link.target)
    for pattern, code, why in _NO_SITE:
        if pattern.match(text):
            return _reject(entry, code, why)
    if _NETWORK(text):
        text = _single_address(text)
        if not text:
            return _reject(entry, "address_range", "is a range of addresses; rules name single ones")
    if defect := text_defect(text):
        return _reject(entry, *defect)
    return text


def app_rule(entry: Entry, reading: Reading) -> Rule | Rejected:  # noqa: ARG001 - the same call as site_rule
    """Return the rule for an entry that names one app: by bundle or store id, or by the URL of its page in a store.

    >>> app_rule(Entry("https://apps.apple.com/us/app/films/id1234567890?mt=8", 1), Reading()).value
    '1234567890'
    >>> app_rule(Entry("https://play.google.com/store/apps/dev?id=57", 1), Reading()).reason
    "'https://play.google.com/store/apps/dev?id=57' is a page of an app store, but not the page of an app"
    """
    if not entry.site.strip():
        return _reject(entry, "empty", "names nothing")
    try:
        target = one_app(entry.site)
    except ValueError as error:
        return _reject(entry, "unreadable", str(error))
    return Rule(RuleKind.APP, target.app or "", Scope.EXACT)


def published_target(text: str) -> str:
    r"""Return a published host or URL without what publishers add: signs around it, defanging, ``*.``, escapes.

    >>> published_target("\ufeff *.pirate[.]example. ")
    'pirate.example.'
    """
    text = undecorated(text)
    if text[:1] + text[-1:] in _QUOTES:
        text = text[1:-1].strip()
    if text[:1].lower() in ("h", "m"):
        text = _DEFANGED_SCHEME.sub(r"http\1", text)
    if any(bracket in text for bracket in "[({"):
        text = _DEFANGED.sub(lambda match: _DEFANGED_WORDS.get(match[1].lower(), match[1]), text)
    scheme, separator, rest = text.rpartition("://")
    if "/" not in scheme and "." not in scheme:
        rest = rest.removeprefix("*").lstrip(".") if rest.startswith(("*.", ".")) else rest
        text = scheme + separator + rest
    return without_trailing_signs(text)


def url_value(target: Target) -> str:
    """Return the canonical value of a ``url`` rule: host, path and sorted parameters, without scheme and port."""
    query = "&".join(sorted(target.params))
    return f"{target.host}{target.path}{'?' + query if query else ''}"


def site_of(host: str) -> str:
    """Return a host without leading ``www.`` labels, unless a public suffix would be left.

    >>> site_of("www.pirate.example"), site_of("www.co.uk")
    ('pirate.example', 'www.co.uk')
    """
    while host.startswith("www.") and not is_public_suffix(host[4:]):
        host = host[4:]
    return host


def matches(rule: Rule, target: Target) -> bool:
    """Return whether a rule covers a target. This is the definition; snapshots must give the same result."""
    if rule.kind is RuleKind.APP:
        return target.app == canonical_app(rule.value)
    if rule.kind is RuleKind.IP:
        return target.ip == rule.value
    if rule.kind is RuleKind.HOST:
        below = rule.scope is Scope.SUBTREE and target.ip is None and target.host.endswith("." + rule.value)
        return target.host == rule.value or below
    address, _, query = rule.value.partition("?")
    host, slash, path = address.partition("/")
    if target.path is None or host not in same_site_hosts(target.host):
        return False
    return covers_path(slash + path, target.path) and (not query or target.params.issuperset(query.split("&")))


def _host_rule(host: str, entry: Entry, reading: Reading) -> Rule | Rejected:
    scope = reading.scope
    if type(entry) is ExactEntry:
        scope = Scope.EXACT
    elif host[:4] == "www." and reading.www == "strip":
        host = site_of(host)
    if is_ordinary(host) and not may_have_defect(host):
        return Rule(RuleKind.HOST, host, scope)
    if is_public_suffix(host):
        return _reject(entry, "public_suffix", f"{host} is a public suffix: blocking it would block strangers' sites")
    if defect := host_defect(host, reading.top_level_domains):
        return _reject(entry, *defect)
    return Rule(RuleKind.HOST, host, scope)


def _single_address(text: str) -> str:
    """Return the address of a network with one address, "" for a larger network, and other text unchanged."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return text
    return str(network.network_address) if network.num_addresses == 1 else ""


def _reject(entry: Entry, code: str, reason: str) -> Rejected:
    raw = entry.raw or entry.site
    return Rejected(raw, entry.position, code, reason if shorten(raw) in reason else f"{shorten(raw)} {reason}")


def _with_country(entry: Entry) -> Entry:
    """Return the entry with its country as two capital letters, or None if it is not a country code."""
    country = (entry.country or "").strip().upper()
    return entry._replace(country=country if len(country) == 2 and country.isascii() and country.isalpha() else None)
