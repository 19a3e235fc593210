"""What a format is: its options, its parser, and the traits that callers ask it for instead of comparing names."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from blocklist.domain.listing import Entry, LineBlock, Rejected
from blocklist.formats.byte_order import in_byte_order
from blocklist.text.validation import validate


class FormatOptions(BaseModel):
    """The options that every format has. ``member``: the file in a zip to read, by name or pattern (``*.csv``)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    member: str | None = Field(None, min_length=1, max_length=500)


class Extra(NamedTuple):
    """An optional dependency: the extra of this package that installs it, and the module that it installs."""

    name: str
    module: str


class Resolved(NamedTuple):
    """The format and options to read one body with, and a description for people, such as ``csv (…why…)``."""

    format: Format
    options: FormatOptions
    description: str


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    ``parse(body, options)`` yields entries and rejected rows; where ``content`` is not ``text``, it takes a third
    argument, the largest size in bytes to which the body may open.

    ``content``: ``text``, ``markup`` (begins with ``<``) or ``binary``.
    ``line_based``: a row is a line, so a body that was cut off can still be read up to the cut.
    ``parse_blocks(body, options)``: like ``parse``, but yields many plain lines as one :class:`.LineBlock`.
    ``find_cut_row(tail, whole, options)``: a sentence if the last row of the body's ``tail`` is incomplete, else None;
    ``whole`` tells whether the tail is the whole body.
    ``recognize(body, options, content_type)``: the actual format of a body; only ``auto`` has it.
    ``check_options(options)``: raises UsageError for options that the model accepts and the format does not.
    """

    name: str
    options: type[FormatOptions]
    parse: Callable[..., Iterator[Entry | Rejected]]
    content: Literal["text", "markup", "binary"] = "text"
    line_based: bool = False
    extra: Extra | None = None
    parse_blocks: Callable[..., Iterator[Entry | Rejected | LineBlock]] | None = None
    find_cut_row: Callable[[bytes, bool, Any], str | None] | None = None
    recognize: Callable[[BinaryIO, FormatOptions, str | None], Resolved] | None = None
    check_options: Callable[[dict[str, Any]], None] | None = None

    def validated(self, options: dict[str, Any]) -> FormatOptions:
        """Return options as the format's model.

        :raises UsageError: an option is unknown, or its value is wrong.
        """
        validated = validate(self.options, options, f"format {self.name}")
        if self.check_options:
            self.check_options(options)
        return validated

    def resolve(self, body: BinaryIO, options: FormatOptions, content_type: str | None = None) -> Resolved:
        """Return the format to read a body with: this one, or for ``auto`` the one that was recognized.

        If the body has no byte order mark and its encoding needs one, the encoding of the options names the order.

        :raises UnreadableFeedError: the format was not recognized, or needs an option that is missing; the order of
            the bytes is not clear.
        """
        found = self.recognize(body, options, content_type) if self.recognize else Resolved(self, options, self.name)
        encoding = getattr(found.options, "encoding", None)
        if encoding is None or (with_order := in_byte_order(body, encoding)) == encoding:
            return found
        return found._replace(options=found.options.model_copy(update={"encoding": with_order}))

    def entries(self, body: BinaryIO, options: FormatOptions, max_bytes: int) -> Iterator[Entry | Rejected]:
        """Return the entries and rejected rows of a body, in order.

        :raises UnreadableFeedError: no later row of the body could be trusted.
        """
        return self.parse(body, options) if self.content == "text" else self.parse(body, options, max_bytes)

    def blocks(self, body: BinaryIO, options: FormatOptions, max_bytes: int) -> Iterator[Entry | Rejected | LineBlock]:
        """Return the same as :meth:`entries`, but consecutive plain lines as one :class:`.LineBlock` if the format can.

        :raises UnreadableFeedError: no later row of the body could be trusted.
        """
        return self.parse_blocks(body, options) if self.parse_blocks else self.entries(body, options, max_bytes)

    def missing_extra(self) -> str | None:
        """Return a sentence that says what to install where the format's library is missing, else None."""
        if self.extra is None or importlib.util.find_spec(self.extra.module) is not None:
            return None
        extra = self.extra.name
        return f"format {self.name} needs the extra {extra!r} of the package: pip install 'blocklist[{extra}]'"
