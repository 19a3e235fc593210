"""Guards over the bytes of a body: they fail a run whose body is not a list in any format."""

from __future__ import annotations

import re

from blocklist.domain.run import Effect
from blocklist.guards.encoding_check import ENCODING
from blocklist.guards.guard import BodyCheck, BodyGuard

_SIGNATURES = {
    b"\x1f\x8b": "gzip data",
    b"PK\x03\x04": "a zip archive or spreadsheet",
    b"%PDF": "a PDF document",
    b"\x28\xb5\x2f\xfd": "zstandard data",
    b"\xfd7zXZ": "xz data",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"\x89PNG": "an image",
}
#: A page, perhaps after a comment or blank lines. Only at the beginning of a line: a comment may mention markup.
_MARKUP = re.compile(rb"^[ \t]*<(?:!doctype[ \t]+html|html|head)\b", re.IGNORECASE | re.MULTILINE)
_PASSWORD_FIELD = re.compile(rb"<input[^>]{0,500}?\stype\s{0,9}=\s{0,9}[\"']?password", re.IGNORECASE)


#: Bytes of the longest body that can be only a pointer to another file.
_MAX_POINTER = 1_024
#: The path or address of a file of the kinds that lists have; none of these endings is a top-level domain.
_FILE_NAME = re.compile(
    rb"(?:https?://[^\s/]+/)?[^\s:?#]*[^\s:?#/.]\.(?:txt|csv|tsv|json|ndjson|hosts|list|lst|xlsx?|ods|pdf|conf|gz)",
    re.IGNORECASE,
)


def _text_of(head: bytes) -> bytes:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()


class _EmptyBody(BodyCheck):
    def head(self, head: bytes) -> str | None:
        return None if _text_of(head) else "the body is empty: a list is never published as nothing"


class _Binary(BodyCheck):
    def head(self, head: bytes) -> str | None:
        if self.body.content == "binary":
            return None
        for signature, name in _SIGNATURES.items():
            if head.startswith(signature):
                return f"the body is {name}, not a list in text"
        if self.body.is_wide:
            return None
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            return "the body is text in utf-16: set the option encoding=utf-16"
        return self.block(head)

    def block(self, block: bytes) -> str | None:
        if b"\0" not in block or self.body.is_wide:
            return None
        return "the body holds NUL bytes: it is binary, or text in utf-16 (set encoding=utf-16)"


class _Pointer(BodyCheck):
    def head(self, head: bytes) -> str | None:
        text = _text_of(head)
        if self.body.content != "text" or self.body.is_wide or len(text) > _MAX_POINTER:
            return None
        if text.startswith(b"version https://git-lfs.github.com/spec/"):
            return "the body is a Git LFS pointer, not the list: use the address of the file itself"
        if not _FILE_NAME.fullmatch(text.strip()):
            return None
        name = text.strip().decode("utf-8", "replace")[:80]
        return f"the body is only the name of another file, {name!r}, as in a symbolic link: use that file's address"


class _Markup(BodyCheck):
    def head(self, head: bytes) -> str | None:
        if self.body.content != "text" or self.body.is_wide:
            return None
        text = _text_of(head)
        found = _MARKUP.search(text)
        if not text.startswith(b"<") and not found:
            return None
        if _PASSWORD_FIELD.search(text):
            return "the body is an HTML page that asks for a password: check the feed's credentials"
        page = text if text.startswith(b"<") or not found else text[found.start() :]
        begins = page[:60].decode("utf-8", "replace").strip().split("\n")[0].strip()
        return f"the body is an HTML or XML page, not a list: it begins with {begins!r}"


#: In the order in which they check a body: an archive may contain markup.
BODY_GUARDS = (
    BodyGuard("empty_body", Effect.FAILS, "the body has no bytes but white space", switchable=False, check=_EmptyBody),
    BodyGuard(
        *("binary", Effect.FAILS, "the body is an archive or a document, or holds NUL bytes (UTF-16 is named)"),
        check=_Binary,
    ),
    BodyGuard(
        *("pointer", Effect.FAILS, "the body is only the name of another file: a symbolic link, a Git LFS pointer"),
        check=_Pointer,
    ),
    BodyGuard(
        "markup", Effect.FAILS, "the body is an HTML or XML page: a login, an error, a moved list", check=_Markup
    ),
    ENCODING,
)
