"""URLs written in every way that the WHATWG URL rules know, around a few listed sites and some that are not.

The expected reading is nowhere in here: a browser is asked for it. Each generator names the rule that it plays with.
Names and addresses are those kept for documentation (RFC 2606, 5737, 3849).
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from urllib.parse import quote

HOST = "pirate.example"
OTHER = "clean.example"
IPV4 = "192.0.2.7"
IPV6 = "2001:db8::7"
#: Hosts in whose names UTS #46 maps something: a letter with two code points, ligatures, sharp s.
CYRILLIC, LATIN, GERMAN = "кино-йод.example", "office.example", "strasse.example"
LISTED_HOSTS = (HOST, "xn----itbebr9agj.example", LATIN, GERMAN)
LISTED_PATH = "/film/one"
#: The site whose page, not whose host, is listed.
VIDEO = "video.example"

SCHEMES = ("http", "https", "ws", "wss", "ftp", "HTTP", "hTtPs")
#: No browser opens these on a network host.
OTHER_SCHEMES = (
    *("file", "data", "javascript", "mailto", "about", "blob", "view-source", "foo", "gopher", "httpx", "ht tp"),
    *("ht%74p", "h\u200bttp", "\uff48ttp", "1http", "+http", "http+ssl", "urn", "tel", "filesystem"),
)
SLASHES = ("", "/", "//", "///", "////////", "\\", "\\\\", "/\\", "\\/", "//\\\\//", "\t//", "/\n/", "/ /", "//\t", ":")
#: Taken out of a URL wherever they stand, and only trimmed at the ends.
DROPPED, TRIMMED = "\t\n\r", "\0\x01\x0b\x0c\x1f "
#: The code points that end a host or may not be in one (WHATWG URL, 3.2), and others that look as if they might not.
FORBIDDEN = "\0\x01\x08\x0b\x0c\x1f #/:<>?@[\\]^|%\x7f" + "!\"$&'()*+,;=_`{}~" + "\x80\x85\xa0\u2028\ufffd\uffff\ue000"
#: Ignored by UTS #46, or checked by its CONTEXTJ rules, or forbidden although nobody sees them.
INVISIBLE = (
    "\xad\u200b\u2060\ufeff\ufe0f\U000e0100\u034f\u180b\u180e\u2064\u200c\u200d\u200e\u200f\u202e\u061c\u115f\u3164"
)
DOTS = "\u3002\uff0e\uff61\u2024\u0701\u06d4\u00b7\u2022\u2025\u2026"


def fullwidth(text: str) -> str:
    """Return ASCII text in its fullwidth forms."""
    return "".join(chr(ord(ch) + 0xFEE0) if "!" <= ch <= "~" else ch for ch in text)


def mathematical(text: str, first: int) -> str:
    """Return lower-case letters in one of the mathematical alphabets, which begins with ``first``."""
    return "".join(chr(first + ord(ch) - ord("a")) if "a" <= ch <= "z" else ch for ch in text)


def escaped(text: str, upper: bool = True) -> str:
    """Return text with every byte of it percent-encoded."""
    return "".join(f"%{byte:02X}" if upper else f"%{byte:02x}" for byte in text.encode())


def schemes() -> Iterator[str]:
    """The scheme, and what stands between it and the host (3.2, scheme start to authority slashes state)."""
    for slashes in SLASHES:
        for scheme in ("http", "https"):
            yield f"{scheme}:{slashes}{HOST}/"
    for scheme in (*SCHEMES, *OTHER_SCHEMES):
        yield f"{scheme}://{HOST}/"
        yield f"{scheme}:{HOST}"
    yield from (f"ht{ch}tp://{HOST}/" for ch in DROPPED + TRIMMED)
    yield from (f"http{ch}://{HOST}/" for ch in DROPPED + TRIMMED)
    yield f"http:http://{HOST}/"
    yield f"http://http://{HOST}/"
    yield f"https:/{OTHER}/http://{HOST}/"


def endings() -> Iterator[str]:
    """White space and controls at both ends, and what follows the host."""
    for ch in DROPPED + TRIMMED + "\x7f\xa0\u200b\u3000\ufeff":
        yield f"{ch}http://{HOST}/"
        yield f"http://{HOST}{ch}"
        yield f"http://{HOST}/{ch}"
        yield f"http://{ch}{HOST}/"
    for rest in (
        "",
        "?",
        "#",
        "?#",
        "?a=http://x",
        "#/a",
        "\\",
        "\\a",
        "?@x",
        "#@x",
        "/@x",
        "\\@x",
        "/..",
        "/%00",
        "//",
        ";x",
        "&x",
    ):
        yield f"http://{HOST}{rest}"
        yield f"http://{OTHER}{rest}{HOST}"


def users() -> Iterator[str]:
    """User names and passwords, real and pretended (authority state)."""
    for user in (
        "u",
        "u:p",
        ":",
        "",
        "u:p:q",
        "u@v",
        "%40",
        "u%2F",
        "u;x",
        "u\\",
        "u/",
        "u?",
        "u#",
        "u\t",
        "u[",
        "[::1]",
        "ü",
        "%00",
        "\0",
    ):
        yield f"http://{user}@{HOST}/"
        yield f"http://{OTHER}:80{user}@{HOST}:80/"
        yield f"http://{HOST}{user}@{OTHER}/"
    yield f"http://{HOST}@{OTHER}@{HOST}/"
    yield f"http://{HOST}\uff20{OTHER}/"
    yield f"http://{OTHER}%40{HOST}/"


def ports() -> Iterator[str]:
    """Ports, and what is none (port state)."""
    for port in (
        *(
            "",
            "0",
            "1",
            "80",
            "443",
            "8080",
            "65535",
            "65536",
            "99999",
            "000080",
            "0000000000443",
            "99999999999999999999",
        ),
        *("-1", "+80", "8a", "a", " 80", "80 ", "8\t0", "\uff18\uff10", "%38%30", "80:80", ":80", "0x50", "1e2", "."),
    ):
        yield f"http://{HOST}:{port}/"
        yield f"https://{HOST}:{port}"
    yield f"http://:80@{HOST}/"
    yield f"http://:80/{HOST}"


def spellings() -> Iterator[str]:
    """The host in other letters: case, escapes, UTS #46 mappings (host parsing and domain to ASCII)."""
    host = HOST
    yield from (
        host.upper(),
        host.title(),
        escaped(host),
        escaped(host, upper=False),
        fullwidth(host),
        escaped(fullwidth(host)),
    )
    yield from (
        host.replace("p", escaped("p")),
        host.replace(".", "%2e"),
        host.replace(".", "%252e"),
        quote(escaped(host)),
    )
    yield from (mathematical(host, first) for first in (0x1D41A, 0x1D44E, 0x1D5BA, 0x1D68A, 0x24D0, 0x249C))
    yield from (host.replace("i", ch) for ch in ("\u0131", "\u0130", "\u2170", "\u1d62", "\u0456", "í", "i\u0301"))
    yield from (host.replace("e", ch) for ch in ("\u212f", "\u0435", "\u2091", "é", "e\u0301", "\U0001d486"))
    yield from (host.replace("p", ch) for ch in ("\u0440", "\u24c5", "\U0001f17f", "\u1d3e", "\u03c1"))
    yield from (host.replace("a", ch) for ch in ("\u0430", "\xaa", "\u1d2c", "\u24b6", "\uff41", "\u2090"))
    yield from (
        LATIN,
        "of\ufb01ce.example",
        "o\ufb03ce.example",
        "o\ufb00ice.example",
        "OF\ufb01CE.EXAMPLE",
        "o\ufb04ce.example",
    )
    yield from (GERMAN, "straße.example", "STRAẞE.example", "stra\u017f\u017fe.example", "xn--strae-oqa.example")


def dots() -> Iterator[str]:
    """Dots: other ones, too many, at either end."""
    for dot in DOTS:
        yield HOST.replace(".", dot)
        yield HOST + dot
    yield from (
        f"{HOST}.",
        f"{HOST}..",
        f"{HOST}...",
        f".{HOST}",
        f"..{HOST}",
        HOST.replace(".", ".."),
        f"a..{HOST}",
        f"{HOST}%2e",
    )
    yield from (
        f"www.{HOST}",
        f"WWW.{HOST}.",
        f"a.b.c.{HOST}",
        f"_dmarc.{HOST}",
        f"-.{HOST}",
        f"*.{HOST}",
        f"{HOST}.{OTHER}",
    )
    yield from (
        f"not{HOST}",
        f"not-{HOST}",
        f"{HOST}s",
        "example",
        "pirate",
        HOST.replace(".", "-"),
        HOST.replace(".", ""),
    )
    yield from (
        f"{'a' * 63}.{HOST}",
        f"{'a' * 64}.{HOST}",
        f"{'a.' * 119}{HOST}",
        f"{'a.' * 120}{HOST}",
        f"{'a.' * 300}{HOST}",
    )


def characters() -> Iterator[str]:
    """Code points inside the host that are dropped, ignored, checked or forbidden."""
    for ch in DROPPED + FORBIDDEN + INVISIBLE:
        yield f"pir{ch}ate.example"
        yield f"pir{escaped(ch)}ate.example"
    for ch in INVISIBLE[:6]:
        yield f"{ch}{HOST}"
        yield f"{HOST}{ch}"
        yield f"{ch}"
    yield from (f"pir%{x}ate.example" for x in ("", "2", "zz", "2g", "ff", "c0%80", "ed%a0%80", "f4%90%80%80"))


def international() -> Iterator[str]:
    """Both forms of an IDN, composed and decomposed, and punycode that is not what it says."""
    ascii_form = LISTED_HOSTS[1]
    yield from (
        CYRILLIC,
        CYRILLIC.upper(),
        escaped(CYRILLIC),
        ascii_form,
        ascii_form.upper(),
        ascii_form.replace("xn", "XN", 1),
    )
    yield from (CYRILLIC.replace("й", "и\u0306"), CYRILLIC.replace("-", "\u2010"), CYRILLIC.replace("-", "\uff0d"))
    yield from (ascii_form.replace("--", "-\xad-", 1), escaped(ascii_form), f"www.{CYRILLIC}", "кинo-йод.example")
    yield from (
        f"%78n--a.{HOST}",
        f"\uff58n--a.{HOST}",
        f"XN--A.{HOST}",
        f"xq--a.xn--a.{HOST}",
        f"xn--a.{CYRILLIC}",
        f"xn--a.\xad{HOST}",
    )
    yield from (
        "pir\u2061ate.example",
        f"pir{chr(0x1CCD6)}te.example",
        "pir\u206a\uffa0ate.example",
        f"%E1%BA%9E.{HOST}",
    )
    yield from (
        f"xn--{HOST}",
        "xn--pirate-.example",
        "xn--pirate.example",
        "xn--.example",
        f"xn--.{HOST}",
        f"xn--a.{HOST}",
    )
    yield from (
        f"xn--a-ecp.{HOST}",
        f"xn--55555577.{HOST}",
        f"xn--0.{HOST}",
        f"xn--\xad.{HOST}",
        f"ab--cd.{HOST}",
        f"-a-.{HOST}",
    )
    yield from (
        f"א.{HOST}",
        f"אa.{HOST}",
        f"1א.{HOST}",
        f"\u0301a.{HOST}",
        f"क\u094d\u200dष.{HOST}",
        f"a\u200cb.{HOST}",
    )
    yield from (
        f"☃.{HOST}",
        f"💩.{HOST}",
        f"\U0001f3f4\u200d\u2620\ufe0f.{HOST}",
        f"日本。{HOST}",
        f"ς.{HOST}",
        f"xn--4xa.{HOST}",
    )


def newer_letters() -> Iterator[str]:
    """Letters that UTS #46 maps, ignores or refuses otherwise since Unicode 15.1, also next to punycode."""
    letters = "\u04c0\u2183\u1e9e\U0002f868\u36fc\ua7dc\u1c89\U0001ccd6\u3164\u180e\u2132\u10a0\u17b4"
    for letter in letters:
        yield from (f"pir{letter}ate.example", f"{letter}.{HOST}", f"a.{letter}{HOST}", f"xn--a{letter}.{HOST}")
        yield from (escaped(f"{letter}a.{HOST}"), f"{letter.lower()}.xn--a.{HOST}", f"{letter}/{HOST}")


def mixtures() -> Iterator[str]:
    """Hosts put together at random from what the other generators play with; the same ones every time."""
    chosen = Random(7)
    for _ in range(400):
        label = "".join(chosen.choice(_PIECES) for _ in range(chosen.randint(1, 4)))
        if chosen.random() < 0.3:
            position = chosen.randrange(len(label))
            label = label[:position] + quote(label[position], safe="") + label[position + 1 :]
        yield label + chosen.choice((f".{HOST}", f".{HOST}", ".example", ".xn--p1ai", ""))


_PIECES = (
    *(
        "a",
        "B",
        "pirate",
        "xn--",
        "XN--",
        "xn--a",
        "xn--bcher-kva",
        "xn--zca",
        "xn--0",
        "-",
        "--",
        "_",
        ".",
        ".",
        "\u3002",
    ),
    *(
        "\xdf",
        "\u1e9e",
        "\xfc",
        "u\u0308",
        "\u04c0",
        "\u2183",
        "\u36fc",
        "\u043a",
        "\u0418",
        "\u03c2",
        "\u03a3",
        "\xad",
    ),
    *(
        "\u017f",
        "\u212a",
        "\u0130",
        "\u0131",
        "\ufb01",
        "\u2167",
        "\xbd",
        "\u2460",
        "0",
        "1",
        "0x7f",
        "\uff11",
        "\u3164",
    ),
    *("\U0001cce6", "\U0001f600", "!", "$", "~", "(", "+", "{", "'", ",", ";", "=", "&"),
)


def ipv4() -> Iterator[str]:
    """An address in each notation that the IPv4 parser takes, and in some that it does not."""
    yield from (
        IPV4,
        "3221225991",
        "0xC0000207",
        "0Xc0000207",
        "030000001007",
        "192.519",
        "192.0.519",
        "0300.0.2.7",
        "0xc0.0.2.7",
    )
    yield from (
        "0300.0x0.02.7",
        "192.0.0x207",
        "192.0x207",
        "0xc0.519",
        "0000300.0.2.0x7",
        "192.0.2.007",
        "192.00.0002.7",
    )
    yield from (
        f"{IPV4}.",
        f"{IPV4}..",
        f".{IPV4}",
        "192.0.2.",
        "192..2.7",
        "192.0.2.7.1",
        "192.0.2.263",
        "448.0.2.7",
        "192.0.66055",
    )
    yield from (
        "4294967296",
        "7516193287",
        "192.0.2.0x",
        "192.0.2.0x7g",
        "192.0.2.7a",
        "192.0.2.08",
        "192.0.2.-7",
        "192.0.2.+7",
    )
    yield from (
        "192.0.2.7e0",
        "192.0.2.0b111",
        "192.0.2.0o7",
        "0xc0.0x0.0x2.0x7",
        "0x00000000c0000207",
        "0x1c0000207",
        "192_0_2_7",
    )
    yield from (fullwidth(IPV4), escaped(IPV4), IPV4.replace(".", "。"), IPV4.replace("7", "⁷"), IPV4.replace("7", "⑦"))
    yield from (
        IPV4.replace("7", "٧"),
        IPV4.replace("7", "७"),
        IPV4.replace(".0.", ".\xad0."),
        "192.0.2.\t7",
        "192.0.2. 7",
        "\uff10xC0000207",
    )
    yield from (f"{IPV4}.example", f"{IPV4}.{HOST}", f"a.{IPV4}", f"{IPV4}x", "192.0.2.8", "3221225992", f"x.{IPV4}.")


def ipv6() -> Iterator[str]:
    """An address between brackets, and an IPv4 address inside one."""
    inside = (
        *(IPV6, "2001:DB8::7", "2001:db8:0:0:0:0:0:7", "2001:0db8:0000:0000:0000:0000:0000:0007", "2001:db8::0.0.0.7"),
        *(
            "2001:db8:0::0:7",
            "2001:db8::8",
            "2001:db8::7%25eth0",
            "2001:db8::7%eth0",
            "2001:db8::00007",
            "2001:db8:::7",
        ),
        *(
            "2001:db8::0:0:0:0:0:7",
            "2001:db8::0:0:0:0:0:0:7",
            "2001:db8::7.",
            " 2001:db8::7",
            "2001:db8::7/64",
            "2001:db8::g",
        ),
        *(
            "2001:db8::0.0.0.07",
            "2001:db8::0.0.7",
            "2001:db8::\uff17",
            "2001:db8%3A:7",
            "2001:db8::\t7",
            "v1.2001:db8::7",
        ),
        *(
            "::ffff:192.0.2.7",
            "::ffff:c000:207",
            "0:0:0:0:0:FFFF:192.0.2.7",
            "::192.0.2.7",
            "::ffff:0:192.0.2.7",
            "::ffff:192.0.2.8",
        ),
    )
    yield from (f"[{text}]" for text in inside)
    yield from (
        f"%5B{IPV6}%5D",
        f"[{IPV6}",
        f"{IPV6}]",
        f"[[{IPV6}]]",
        f"[{IPV6}].",
        f"[{IPV6}]a",
        f"a[{IPV6}]",
        f"［{IPV6}］",
        "[]",
    )
    yield from (f"[{HOST}]", f"[{IPV4}]")


def paths() -> Iterator[str]:
    """The page that is listed, by other paths (path state), and pages that are not."""
    for path in (
        *(
            LISTED_PATH,
            "/film/one/",
            "/film/one/two",
            "/film/one?x=1",
            "/film/one#x",
            "/film/one/?",
            "/film/onetwo",
            "/film",
            "/film/",
        ),
        *(
            "/a/../film/one",
            "/a/%2e%2e/film/one",
            "/a/.%2E/film/one",
            "/a/%2E./film/one",
            "/./film/one",
            "/%2e/film/./one",
        ),
        *(
            "/../../film/one",
            "/film/one/..",
            "/film/one/%2e%2e/",
            "/film/x/../one",
            "/film\\one",
            "\\film\\one",
            "/film//one",
        ),
        *(
            "//film/one",
            "/film/%6fne",
            "/%66ilm/one",
            "/FILM/one",
            "/film%2Fone",
            "/film%5Cone",
            "/film/one%2F",
            "/film/one%3Fx",
        ),
        *(
            "/film/one%00",
            "/film/one%20",
            "/film/one ",
            "/fi\tlm/o\nne",
            "/film/one;x",
            "/film/one.",
            "/film/...",
            "/film/one/.",
        ),
        *(
            "/film/%252e%252e/one",
            "/ﬁlm/one",
            "/film/one%",
            "/film/one%zz",
            "/film/../film/one",
            "?/film/one",
            "#/film/one",
        ),
        *("/film/two/..%2fone", "/film/two/..\\one", "/film/two/.%2e\\one", "/film/two/%2e%2E\\one/x"),
    ):
        yield f"http://{VIDEO}{path}"
    yield f"HTTPS:\\\\{VIDEO.upper()}:8443\\film\\one"
    yield f"http://{VIDEO}.{LISTED_PATH}"
    yield f"http://www.{VIDEO}{LISTED_PATH}"
    yield f"http://www.www.{VIDEO}{LISTED_PATH}"
    yield from (f"http://{VIDEO}{path}" for path in ("//film///one", "/film;x/one;y=1/z", "/;a/film/one", "/film/;one"))
    yield f"http://{LISTED_PATH[1:]}@{VIDEO}/"


def hosts() -> list[str]:
    """Every spelling of a host."""
    return [*spellings(), *dots(), *characters(), *international(), *ipv4(), *ipv6()]


def urls() -> list[str]:
    """Every vector that is asked as it stands; those of the hosts behind ``http://`` and, in turn, other beginnings."""
    begins = ("http://", "https:\\\\", "HTTP:/", "https:", f"http://{OTHER}@", "ws:/\\")
    ends = ("/", "", ":443/x", "?q", "#f", "\\")
    made = [*schemes(), *endings(), *users(), *ports(), *paths()]
    made += (f"http://{host}/" for host in (*newer_letters(), *mixtures()))
    for number, host in enumerate(hosts()):
        made.append(f"http://{host}/")
        made.append(f"{begins[number % len(begins)]}{host}{ends[number % 5]}")
    return list(dict.fromkeys(made))


def bare() -> list[str]:
    """Every vector without a scheme, which a browser is asked for behind ``http://``."""
    made = [*hosts(), *(f"//{host}/" for host in hosts()[::7]), *(f"\\\\{host}\\x" for host in hosts()[::11])]
    made += [f"{HOST}:{port}/x" for port in ("", "80", "65535", "65536", "a")]
    made += [
        f"user@{HOST}",
        f"user:p@{HOST}",
        f"{HOST}@{OTHER}",
        f"{HOST}/@{OTHER}",
        f"{OTHER}\\@{HOST}",
        f"{OTHER}?@{HOST}",
    ]
    made += [f"{HOST}{rest}" for rest in ("/", "?", "#", "\\", "/..", ";", "?#", "/a b")]
    return list(dict.fromkeys(text for text in made if text.strip(DROPPED + TRIMMED)))
