"""Targets by the thousand from a seed: pages and apps written as pirates, browsers, ad servers and proxies write them.

Nothing here knows the right verdict. The entry points must agree on each target.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from urllib.parse import quote

from tests.node.url_vectors import INVISIBLE, escaped, fullwidth

_HOSTS = (
    *("pirate-one.example", "www.pirate-one.example", "a.b.pirate-one.example", "кино.example", "xn--h1adke.example"),
    *(
        "host-a.example",
        "www.host-a.example",
        "www.host-b.example",
        "host-c.example",
        "exact.example",
        "x.exact.example",
    ),
    *("good.pirate-one.example", "blocked.example", "good.example", "good.example", "news.good.example", "bareword"),
    *("192.0.2.7", "198.51.100.9", "[2001:db8::7]", "[::ffff:192.0.2.7]", "pirate-one.example.good.example", "word"),
    *("p\u04c0rate.example", "\u2183de.example", "\U0002f868.example", "xn--prate-eof.example"),
)
_PATHS = (
    *(
        "",
        "",
        "/",
        "/film",
        "/films/new",
        "/films/new/",
        "/films//new",
        "//films/new",
        "/films/new;x=1",
        "/films;y/new",
    ),
    *(
        "/films/",
        "/films",
        "/films/newer",
        "/films/./new",
        "/x/../films/new",
        "/films/%2e%2e/films/new",
        "/f%69lms/new",
    ),
    *(
        "/legal",
        "/legal/x",
        "/legally",
        "/worst/x",
        "/Films/New",
        "\\films\\new",
        "/films%2Fnew",
        "/фильм",
        "/a b",
        "/%zz",
    ),
)
_QUERIES = (
    *("", "", "", "?v=1", "?t=2&v=1", "?%76=%31", "?v=1&v=2", "?v=2", "?u=https://pirate-one.example/", "?", "?&&v=1&"),
    *("?id=com.pirate.movies", "?x=${CLICK}", "?x=%%CACHEBUSTER%%", "?a+b=c%20d", "#v=1", "?v=1#x", "#/app/x"),
)
_SCHEMES = (
    "http://",
    "https://",
    "HTTPS://",
    "//",
    "",
    "",
    "http:/",
    "http:\\\\",
    "https:",
    "ws://",
    "ftp://",
    "\\\\",
    "htt\tps://",
)
_USERS = ("", "", "", "user@", "user:secret@", "good.example@", "good.example%40", "a@b@", ":@", "good.example\\@")
_PORTS = ("", "", "", ":80", ":443", ":8080", ":", ":0", ":65536", ":080", ":8o")
_WRAPPERS: tuple[Callable[[str, str], str], ...] = (
    lambda url, rest: f"https://x.cdn.ampproject.org/c/s/{rest}",
    lambda url, rest: f"https://cdn.ampproject.org/v/{rest}",
    lambda url, rest: f"https://www.google.com/amp/s/{rest}",
    lambda url, rest: f"https://x.bing-amp.com/c/s/{rest}",
    lambda url, rest: f"https://{_with_hyphens(rest)}.translate.goog/film",
    lambda url, rest: f"https://{_with_hyphens(rest)}.cdn.ampproject.org/c/s/good.example/",
    lambda url, rest: f"https://translate.google.com/translate?sl=it&u={quote(url, safe='')}",
    lambda url, rest: f"https://web.archive.org/web/20250101000000/{url}",
    lambda url, rest: f"https://web.archive.org/web/2025id_/{rest}",
    lambda url, rest: f"blob:{url}",
    lambda url, rest: f"view-source:{url}",
    lambda url, rest: f"VIEW-SOURCE:view-source:{url}",
    lambda url, rest: f"filesystem:{url}",
    lambda url, rest: quote(url, safe=""),
    lambda url, rest: quote(quote(url, safe=""), safe=""),
    lambda url, rest: f"{url}?url={quote(url, safe='')}",
)
_AROUND = (
    *(
        ('"', '"'),
        ("'", "'"),
        ("\u201c", "\u201d"),
        ("<", ">"),
        ("{{", "}}"),
        ("[", "]"),
        ("(", ")"),
        ("\ufeff", ""),
        ("", "\ufeff"),
    ),
    *(
        (" ", " "),
        ("\t", "\t"),
        ("\u00a0", ""),
        ("", ","),
        ("", "."),
        ("", " (mirror)"),
        ("http://", ""),
        ("https//", ""),
        ("", ";"),
    ),
    *(
        ("", ",https://good.example/"),
        ("https://good.example/,", ""),
        ("", " https://good.example/"),
        ("\x01", ""),
        ("\u1680", ""),
    ),
)
_WORDS = (
    *(
        "null",
        "undefined",
        "NaN",
        "N/A",
        "-",
        "unknown",
        "none",
        "localhost",
        "about:blank",
        "about:srcdoc",
        "data:,x",
        "0",
        "1",
        "127.1",
    ),
    *(
        "${PAGE_URL}",
        "%%PAGE_URL%%",
        "{site.domain}",
        "[PAGE_URL]",
        "{{page}}",
        "%7B%7Bpage%7D%7D",
        "__PAGE__",
        "@@PAGE@@",
        "<page>",
    ),
    *(
        "",
        " ",
        "?",
        "#",
        "/",
        "//",
        "http://",
        "https:///",
        ":",
        "://",
        "@",
        ".",
        "..",
        "%",
        "http://%",
        "\u180e",
        "javascript:void(0)",
    ),
)
_IDS = (
    *(
        "9876543210",
        "com.pirate.movies",
        "com.Pirate.Case",
        "4444444444",
        "5555555555",
        "B0PIRATE01",
        "151908",
        "com.pirate.films",
    ),
    *("com.good.app", "1234567890", "B0CLEAN001", "150000", "com.pirate.mk"),
)
_APP_FORMS = (
    *(
        "{id}",
        "{id}",
        "id{id}",
        "ID{id}",
        " {id} ",
        "{id}/",
        "market://details?id={id}",
        "MARKET://details?hl=it&id={id}",
    ),
    *("android-app://{id}/", "android-app://{id}", "android-app://{id}/https/good.example/x", "ios-app://{id}/good/x"),
    *(
        "https://play.google.com/store/apps/details?id={id}",
        "http://play.google.com/store/apps/details?id=com.good&id={id}",
    ),
    *(
        "play.google.com/store/apps/details?hl=it&id={id}",
        "https://apps.apple.com/us/app/films/id{id}",
        "https://apps.apple.com/app/id{id}",
    ),
    *(
        "https://itunes.apple.com/it/app/films/id{id}?mt=8",
        "https://geo.itunes.apple.com/app/id{id}",
        "itms-apps://apps.apple.com/app/x/id{id}?mt=8",
    ),
    *(
        "itms-appss://itunes.apple.com/app/id{id}",
        "https://www.amazon.com/dp/{id}",
        "https://www.amazon.it/gp/product/{id}/ref=x",
    ),
    *(
        "amzn://apps/android?p={id}",
        "https://channelstore.roku.com/details/{id}/films",
        "https://galaxystore.samsung.com/detail/{id}",
    ),
    *(
        "https://apps.microsoft.com/detail/{id}",
        "https://www.microsoft.com/store/apps/{id}",
        "https://appgallery.huawei.com/#/app/{id}",
    ),
    *(
        "https://www.vizio.com/app/{id}",
        "https://us.lgappstv.com/main/tvapp/detail?appId={id}",
        "samsungapps://ProductDetail/{id}",
    ),
)


def pages(number: int, seed: int) -> list[str]:
    """Return different targets: hosts and URLs, wrapped, quoted and mangled ones, words, macros, store URLs."""
    random = Random(seed)
    return list(_different(number, lambda: _page(random)))


def apps(number: int, seed: int) -> list[str]:
    """Return different texts that stand where an app's id is expected."""
    random = Random(seed)
    return list(_different(number, lambda: _app(random)))


def _different(number: int, make: Callable[[], str]) -> dict[str, None]:
    made: dict[str, None] = {}
    while len(made) < number:
        made[make()] = None
    return made


def _page(random: Random) -> str:
    chance = random.random()
    if chance < 0.03:
        return random.choice(_WORDS)
    if chance < 0.1:
        return _app(random)
    text = _url(random)
    if random.random() < 0.2:
        rest = text.partition("://")[2] or text
        text = random.choice(_WRAPPERS)(text, rest)
    while random.random() < 0.25:
        text = random.choice(_CHANGES)(text, random)
    if random.random() < 0.15:
        before, after = random.choice(_AROUND)
        text = before + text + after
    return text


def _url(random: Random) -> str:
    host = random.choice(_HOSTS)
    if random.random() < 0.3:
        host = random.choice(_HOST_FORMS)(host, random)
    return "".join(
        (
            random.choice(_SCHEMES),
            random.choice(_USERS),
            host,
            random.choice(_PORTS),
            random.choice(_PATHS),
            random.choice(_QUERIES),
        )
    )


def _app(random: Random) -> str:
    text = random.choice(_APP_FORMS).format(id=random.choice(_IDS))
    if random.random() < 0.15:
        before, after = random.choice(_AROUND)
        text = before + text + after
    return random.choice(_CHANGES)(text, random) if random.random() < 0.1 else text


def _with_hyphens(rest: str) -> str:
    host = rest.partition("/")[0]
    return host.replace("-", "--").replace(".", "-")


def _insert(text: str, what: str, random: Random) -> str:
    place = random.randint(0, len(text))
    return text[:place] + what + text[place:]


def _one_escaped(text: str, random: Random) -> str:
    if not text:
        return text
    place = random.randrange(len(text))
    return text[:place] + escaped(text[place], upper=random.random() < 0.5) + text[place + 1 :]


def _address(host: str, random: Random) -> str:
    """Return an IPv4 address in another notation (WHATWG URL, 3.5)."""
    parts = host.split(".")
    if len(parts) != 4 or not all(part.isdigit() for part in parts):
        return host
    numbers = list(map(int, parts))
    whole = int.from_bytes(bytes(numbers))
    return random.choice(
        (
            *(
                str(whole),
                hex(whole),
                f"0{whole:o}",
                ".".join(map(hex, numbers)),
                ".".join(f"0{part:o}" for part in numbers),
            ),
            *(
                f"{numbers[0]}.{whole & 0xFFFFFF}",
                f"{numbers[0]}.{numbers[1]}.{whole & 0xFFFF}",
                f"[::ffff:{host}]",
                f"{host}.",
            ),
        )
    )


_HOST_FORMS: tuple[Callable[[str, Random], str], ...] = (
    lambda host, _: host.upper(),
    lambda host, _: host + ".",
    lambda host, _: host + "..",
    lambda host, _: host.replace(".", "\u3002"),
    lambda host, _: fullwidth(host),
    lambda host, _: escaped(host),
    lambda host, random: _insert(host, random.choice(INVISIBLE), random),
    lambda host, random: _insert(host, random.choice("\t\n\r"), random),
    _one_escaped,
    _address,
    _address,
)
_CHANGES: tuple[Callable[[str, Random], str], ...] = (
    lambda text, _: text.upper(),
    lambda text, random: _insert(text, random.choice("\t\n\r"), random),
    lambda text, random: _insert(text, random.choice(INVISIBLE), random),
    lambda text, random: _insert(text, random.choice("\"'`<>{}|^ \\/;,:@?#%&=+.*!$()[]~_-"), random),
    lambda text, random: _insert(text, random.choice("\x00\x01\x1f\x7f\x80\u00a0\u2028\ufffd\U0001f3ac"), random),
    lambda text, random: _insert(text, random.choice(("${X}", "%%X%%", "{x}", "[X]")), random),
    lambda text, _: text.replace("/", "\\"),
    _one_escaped,
)
