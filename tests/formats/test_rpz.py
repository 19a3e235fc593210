"""``rpz``: which records of a policy zone are listings."""

from __future__ import annotations

import pytest

from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.listing import Entry, ExactEntry, Rejected
from tests.support import parsed, sites

ZONE = """$TTL 60
$ORIGIN rpz.example.
@ IN SOA ns.example. h.example. (1 ; serial
   2 3
   4 5)
  NS ns.example.
a.example CNAME .
*.a.example CNAME .
B.example.rpz.example. 300 IN CNAME *. ; why
c.example IN 5m A 192.0.2.1
   TXT "ordered (by court)"
d.example CNAME rpz-drop.
ok.example CNAME rpz-passthru.
old.example CNAME old.example.
tcp.example CNAME rpz-tcp-only.
32.4.3.2.1.rpz-ip CNAME .
128.1.zz.db8.2001.rpz-ip CNAME .
24.0.2.0.192.rpz-ip CNAME .
32.4.3.2.1.rpz-client-ip CNAME .
ns.e.example.rpz-nsdname CNAME .
32.4.3.2.1.rpz-nsip CNAME .
else.example. CNAME .
not a record
$ORIGIN sub.rpz.example.
f CNAME .
"""


def test_what_blocks_a_name_or_an_address_is_a_listing_and_the_rest_is_counted() -> None:
    items = parsed("rpz", ZONE)
    listed = ["a.example", "*.a.example", "b.example", "c.example", "c.example", "d.example"]
    assert sites(items) == [*listed, "1.2.3.4", "[2001:db8::1]", "f.sub"]
    assert items[0].position == 7
    assert [(item.position, item.code) for item in items if isinstance(item, Rejected)] == [
        *((13, "passthru"), (14, "passthru"), (15, "not_a_block"), (18, "network"), (19, "not_a_site")),
        *((20, "not_a_site"), (21, "not_a_site"), (22, "other_zone"), (23, "syntax")),
    ]


def test_a_zone_without_soa_may_be_named() -> None:
    assert sites(parsed("rpz", "a.example.z.example. CNAME .\n", zone="z.example")) == ["a.example"]
    assert sites(parsed("rpz", "a.example CNAME .\n")) == ["a.example"]
    unnamed = (
        "$TTL 60\n@ SOA localhost. root.localhost. 1 2 3 4 5\n NS localhost.\na.example CNAME .\n*.a.example CNAME .\n"
    )
    assert sites(parsed("rpz", unnamed)) == ["a.example", "*.a.example"]


@pytest.mark.parametrize("owner", ["rpz.example.", "rpz.example", "RPZ.example."])
def test_without_an_origin_names_are_below_the_owner_of_the_soa(owner: str) -> None:
    records = (
        "a.example CNAME .\n*.a.example CNAME .\nb.example.rpz.example CNAME .\nc.example.rpz.example. CNAME .\n"
        "else.example. CNAME .\n$ORIGIN sub.rpz.example.\nd CNAME .\n"
    )
    items = parsed("rpz", f"{owner} 60 IN SOA localhost. root.localhost. 1 2 3 4 5\n{records}")
    assert sites(items) == ["a.example", "*.a.example", "b.example", "c.example", "d.sub"]
    assert [item.code for item in items if isinstance(item, Rejected)] == ["other_zone"]


def test_records_before_any_owner_belong_to_the_zone_itself() -> None:
    zone = "$TTL 60\n IN SOA localhost. root.localhost. 1 2 3 4 5\n IN NS localhost.\n CNAME .\na.example CNAME .\n"
    items = parsed("rpz", zone)
    assert sites(items) == ["a.example"]
    assert [item.reason for item in items if isinstance(item, Rejected)] == [
        "'CNAME .' has no owner name, and no record before it has one"
    ]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("$INCLUDE other\n", r"line 1: \$INCLUDE is not supported"),
        ("$GENERATE 1-9 a$ CNAME .\n", r"\$GENERATE is not supported"),
        ("a.example CNAME .\n@ SOA a. b. (1 2\n" + "3\n" * 500, "line 2 opens a parenthesis that is never closed"),
        ("a" * 70_000, "longer than 65536"),
    ],
)
def test_a_zone_of_which_records_are_missing_is_not_half_read(body: str, said: str) -> None:
    with pytest.raises(UnreadableFeedError, match=said):
        parsed("rpz", body)


UNNAMED = "$TTL 300\n@ IN SOA localhost. root.localhost. 1 60 60 432000 60\n  IN NS localhost.\n"


@pytest.mark.parametrize(
    ("records", "zone"),
    [
        ("a.example.rpz.vendor.example. CNAME .\n*.a.example.rpz.vendor.example. CNAME .\n", "rpz.vendor.example"),
        ("a.com.blocked.vendor.example. CNAME .\nb.net.blocked.vendor.example. CNAME .\n", "blocked.vendor.example"),
    ],
)
def test_names_with_the_zone_behind_them_need_the_name_of_the_zone(records: str, zone: str) -> None:
    with pytest.raises(UnreadableFeedError, match=f"set the option zone={zone}"):
        parsed("rpz", UNNAMED + records)
    assert sites(parsed("rpz", UNNAMED + records, zone=zone))[0] in ("a.example", "a.com")
    named = UNNAMED.replace("@ IN", f"{zone}. IN") + records
    assert sites(parsed("rpz", named))[0] in ("a.example", "a.com")


def test_names_that_end_alike_without_a_zone_behind_them_are_read() -> None:
    records = "a.example. CNAME .\nx.site.com.br. CNAME .\nb.blogspot.com. CNAME .\nc.blogspot.com. CNAME .\n"
    assert sites(parsed("rpz", UNNAMED + records)) == ["a.example", "x.site.com.br", "b.blogspot.com", "c.blogspot.com"]


def test_what_a_zone_exempts_is_not_listed_and_a_host_above_it_only_itself() -> None:
    items = parsed(
        "rpz",
        "@ SOA a. b. 1 2 3 4 5\n*.exempt.example CNAME .\nexempt.example CNAME rpz-passthru.\n"
        "pirate.example CNAME .\n*.pirate.example CNAME .\ngood.pirate.example CNAME RPZ-PASSTHRU.\n"
        "other.example CNAME .\n",
    )
    assert sites(items) == ["pirate.example", "pirate.example", "other.example"]
    assert [type(item) for item in items if isinstance(item, Entry)] == [ExactEntry, ExactEntry, Entry]
    assert next(item.code for item in items if isinstance(item, Rejected)) == "excepted"
