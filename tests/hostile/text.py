"""Bodies that are not lists, and lists with wrong encodings and deceptive characters."""

from __future__ import annotations

from tests.hostile.cases import also, applied, failed
from tests.hostile.good import good
from tests.hostile.served import Case

LINES = good("lines")
LOGIN = b"<!DOCTYPE html><html><form><input name=user><input type='password'></form></html>"


#: Not a list.
NO_LISTS: list[Case] = [
    failed("lines", "nothing at all", b"", "the body is empty"),
    failed("lines", "a byte order mark and nothing else", b"\xef\xbb\xbf", "the body is empty"),
    failed("lines", "white space, a megabyte of it", b" \r\n\t" * 262_144, "the body is empty"),
    failed("lines", "a page that asks for a password, answered with 200", LOGIN, "asks for a password"),
    failed("lines", "a page behind a hundred lines of comments", b"# x\n" * 100 + LOGIN, "asks for a password"),
    failed(
        "lines", "a page without <html>, which begins with a comment", b"<!-- x --><p>Moved</p>", "HTML or XML page"
    ),
    failed("lines", "an XML error of a cloud store", b"<?xml version='1.0'?><Error/>", "HTML or XML page"),
    failed("lines", "a page whose form would keep a pattern busy for a second", b"<input" * 10_900, "HTML or XML page"),
    failed("lines", "an error in JSON, answered with 200", b'{"error": "rate limited"}\n', "gives no rules"),
    failed("lines", "an error in words, answered with 200", b"Service temporarily unavailable\n", "gives no rules"),
    failed("lines", "an error in words with dots", b"please.try.again.later\n", "gives no rules"),
    failed("lines", "comments alone", b"# nothing\n! today\n; at\n// all\n", "gives no rules"),
    failed("lines", "an image", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "an image"),
    failed("lines", "a PDF document instead of the list", b"%PDF-1.7\n" + LINES, "a PDF document"),
    failed("lines", "random bytes", bytes((n * n * 31 + n * 7) % 256 for n in range(5_000)), "NUL bytes"),
    failed("lines", "a tar archive", b"list.txt".ljust(257, b"\0") + b"ustar\x0000" + bytes(248), "a tar archive"),
    failed("lines", "a rar archive", b"Rar!\x1a\x07\x01\x00" + LINES, "a rar archive"),
    failed("lines", "seven megabytes in one line", lambda: b"a" * 7_000_000, "longer than 65536 characters"),
    failed(
        "lines", "a line of seven million spaces behind the list", lambda: LINES + b" " * 7_000_000, "longer than 65536"
    ),
    failed("lines", "more bytes than a body may have", lambda: LINES * 30_000, "larger than 8,388,608 bytes"),
]

#: Encodings, and characters that are not what they look like.
CHARACTERS: list[Case] = [
    failed("lines", "UTF-16 with its mark", LINES.decode().encode("utf-16"), "set the option encoding=utf-16"),
    failed("lines", "UTF-16 without a mark", LINES.decode().encode("utf-16-be"), "NUL bytes"),
    failed("lines", "UTF-32", LINES.decode().encode("utf-32"), "set the option encoding=utf-16"),
    failed("lines", "a NUL byte in the last line of 100 kB", LINES * 300 + b"pirate\0.example\n", "NUL bytes"),
    failed("lines", "EBCDIC, in which no byte is a line break", LINES.decode().encode("cp037"), "gives no rules"),
    failed("lines", "windows-1251 read as UTF-8", LINES + "пират.рф\n".encode("cp1251") * 20, "windows-1251"),
    failed(
        "lines",
        "UTF-8 read as windows-1251",
        LINES + "пират.рф\n".encode(),
        "set the option encoding=utf-8",
        feed={"options": {"encoding": "windows-1251"}},
    ),
    applied(
        "lines",
        "one line with a broken byte",
        LINES + b"pir\xffate.example\nnew.example\n",
        listed=("new.example",),
        rejected={"encoding": 1},
    ),
    applied(
        "lines",
        "overlong UTF-8 of a slash and of a dot",
        LINES + b"youtube.com\xc0\xafx\nyoutube\xc0\xaecom\nnew.example\n",
        listed=("new.example",),
        spared=("youtube.com",),
        rejected={"encoding": 2},
    ),
    applied(
        "lines",
        "right-to-left marks that turn a name round",
        also("\u202eelpmaxe.eno", "a\u202e.example", "new.example"),
        listed=("new.example",),
        spared=("one.example", "a.example"),
        rejected={"unreadable": 2},
    ),
    applied(
        "lines",
        "marks that no eye sees before and behind a name",
        also("\ufeff\u200enew.example\u200f\u00a0"),
        listed=("new.example",),
        rejected={},
    ),
    applied(
        "lines",
        "letters of other scripts that look like a known name",
        also("аррӏе.example", "xn--80ak6aa92e.example"),
        listed=("xn--80ak6aa92e.example",),
        spared=("apple.example",),
        rejected={},
    ),
    applied(
        "lines",
        "full-width letters and an ideographic stop, which a browser reads as ASCII",
        also("ｎｅｗ。example"),
        listed=("new.example",),
        rejected={},
    ),
    applied(
        "lines",
        "punycode that means nothing",
        also("xn--a.example", "xn--.example", "xn--" + "a" * 70 + ".example"),
        listed=("xn--a.example",),
        rejected={"unreadable": 1},
    ),
    applied(
        "lines",
        "a soft hyphen in a popular name, which a browser drops",
        also("archive\u00ad.org", "new.example"),
        listed=("new.example",),
        spared=("archive.org",),
        rejected={},
    ),
    applied(
        "lines",
        "one character that Unicode makes eighteen of, four thousand times",
        also("\ufdfa" * 4_000 + ".example", "new.example"),
        listed=("new.example",),
        rejected={"unreadable": 1},
    ),
    applied(
        "lines",
        "control characters within names",
        also("a\x01.example", "b\x1b[31m.example", "c\x7f.example", "new.example"),
        listed=("new.example",),
        spared=("a.example", "b.example", "c.example"),
        rejected={"unreadable": 3},
    ),
]

CASES = [*NO_LISTS, *CHARACTERS]
