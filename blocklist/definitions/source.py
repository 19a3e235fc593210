"""The source of a feed: its address or file, credentials, discovery, pagination and integrity."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from blocklist.definitions.name_dates import date_pattern
from blocklist.definitions.signing_keys import minisign_key, openpgp_key
from blocklist.text.field_types import StrictModel


def _url(url: str) -> str:
    if not re.match(r"(?:https?|file)://", url) or not url.isprintable() or "%00" in url:
        raise ValueError(f"{url!r} is not an address: begin with https://, http:// or file://")
    try:
        parts = urlsplit(url)
        named = parts.scheme == "file" or (parts.hostname and parts.port != 0)
    except ValueError as error:
        raise ValueError(f"{url!r} is not an address: {error}") from None
    if parts.scheme == "file" and parts.netloc not in ("", "localhost"):
        raise ValueError(f"{url!r} is not an address: a file must be on this machine, as file:///path")
    if not named:
        raise ValueError(f"{url!r} is not an address: it has no host")
    if "@" in parts.netloc:
        raise ValueError("an address with user and password would be stored in the database: use source.credentials")
    return url


def _web_url(url: str) -> str:
    if url.startswith("file:"):
        raise ValueError(f"{url!r} is not a web address: begin with https:// or http://")
    return _url(url)


def _date_pattern(pattern: str) -> str:
    date_pattern(pattern)
    return pattern


Url = Annotated[str, AfterValidator(_url)]
WebUrl = Annotated[str, AfterValidator(_web_url)]


class Credentials(StrictModel):
    """How requests are authenticated. The secret is in an environment variable or a file, never in the definition."""

    kind: Literal["bearer", "basic", "header", "query", "certificate"]
    header: str = Field("Authorization", pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
    user: str | None = Field(None, min_length=1)
    parameter: str | None = Field(None, min_length=1)
    env: str | None = None
    file: str | None = None

    @model_validator(mode="after")
    def _fields_fit_kind(self) -> Credentials:
        if (self.env is None) == (self.file is None):
            raise ValueError("set either env (an environment variable) or file (a path), where the secret is")
        if (self.parameter is not None) != (self.kind == "query"):
            raise ValueError("parameter, the query parameter for the secret, is required with kind query, only there")
        if self.user is not None and (self.kind != "basic" or ":" in self.user):
            raise ValueError("user is only for kind basic, and must not contain a colon")
        if self.kind not in ("bearer", "header") and self.header != "Authorization":
            raise ValueError(f"header is only for kind bearer or header, not {self.kind}")
        return self


class LinkRule(StrictModel):
    """Which link of a page to follow: of those that match, the newest."""

    href: str | None = Field(None, min_length=1)
    text: str | None = Field(None, min_length=1)
    patterns: Literal["regex", "glob"] = "regex"
    date: Annotated[str, AfterValidator(_date_pattern)] | None = None
    pick: Literal["first", "last"] = "first"

    @model_validator(mode="after")
    def _can_match(self) -> LinkRule:
        if self.href is None and self.text is None:
            raise ValueError("say which links match: set href, text or both")
        for pattern in (self.href, self.text) if self.patterns == "regex" else ():
            try:
                re.compile(pattern or "")
            except re.error as error:
                raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
        return self


class Discovery(LinkRule):
    """The source's address is a page that links to the list; with ``then``, to a page that links to the list."""

    then: LinkRule | None = None

    @property
    def steps(self) -> tuple[LinkRule, ...]:
        """The links to follow, one after the other."""
        return (self, self.then) if self.then else (self,)


class Pagination(StrictModel):
    """The list comes in JSON pages. ``field``, ``rows`` and ``more`` are paths in one page, dots between names."""

    kind: Literal["link", "next", "page", "cursor"]
    field: str | None = Field(None, min_length=1)
    parameter: str | None = Field(None, min_length=1)
    first: int = Field(1, ge=0)
    rows: str = ""
    more: str | None = Field(None, min_length=1)
    max_pages: int = Field(1_000, ge=1, le=100_000)

    @model_validator(mode="after")
    def _fields_fit_kind(self) -> Pagination:
        if (self.field is not None) != (self.kind in ("next", "cursor")):
            raise ValueError(
                "field, the path to the next address or cursor, is required with kind next or cursor, only there"
            )
        if (self.parameter is not None) != (self.kind in ("page", "cursor")):
            raise ValueError("parameter, for the page or cursor, is required with kind page or cursor, only there")
        return self


class Integrity(StrictModel):
    """How a body is verified: by its SHA-256 or a detached signature, published beside it."""

    kind: Literal["sha256", "minisign", "openpgp"]
    url: WebUrl | None = None
    suffix: str | None = Field(None, min_length=1)
    key: str | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _fields_fit_kind(self) -> Integrity:
        if self.url is not None and self.suffix is not None:
            raise ValueError("set either url or suffix (appended to the address of the list), not both")
        if (self.key is None) != (self.kind == "sha256"):
            raise ValueError("key, the publisher's public key, is required with kind minisign or openpgp, only there")
        if self.kind == "minisign":
            minisign_key(self.key or "")
        elif self.kind == "openpgp":
            openpgp_key(self.key or "")
        return self


class Source(StrictModel):
    """Where the list is. Without ``url`` and ``file``, it is read with ``refresh --file``, or the operator sets one."""

    url: Url | None = None
    file: str | None = None
    credentials: Credentials | None = None
    discovery: Discovery | None = None
    pagination: Pagination | None = None
    integrity: Integrity | None = None

    @model_validator(mode="after")
    def _parts_fit(self) -> Source:
        if self.url is not None and self.file is not None:
            raise ValueError("set either url or file, not both")
        local = self.file is not None or (self.url or "").startswith("file:")
        if local and (self.discovery or self.pagination or self.integrity):
            raise ValueError("discovery, pagination and integrity are for a list on the web, not for a file")
        if self.pagination and self.integrity:
            raise ValueError(
                "integrity is for a list in one body, pagination for one in pages: set only one of the two"
            )
        return self
