"""``auto``: the format of each body is recognized, and its options are taken from those of all formats."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from pydantic import create_model

from blocklist.domain.errors import UnreadableFeedError, UsageError
from blocklist.domain.listing import Entry, Rejected
from blocklist.formats.base import Format, FormatOptions, Resolved
from blocklist.formats.header import USUAL_COLUMN
from blocklist.formats.recognition import recognize


class _Auto:
    def __init__(self, formats: Sequence[Format]) -> None:
        self._formats = {format_.name: format_ for format_ in formats}

    def recognize(self, body: BinaryIO, options: FormatOptions, content_type: str | None = None) -> Resolved:
        """Return the format of a body, and those of the options that it has.

        :raises UnreadableFeedError: the format was not recognized, or needs an option that is missing.
        """
        given = options.model_dump(exclude_unset=True)
        recognized = recognize(body, content_type, given.get("encoding"))
        format_ = self._formats[recognized.format]
        known = format_.options.model_fields
        chosen = {name: value for name, value in (recognized.options | given).items() if name in known}
        description = f"{recognized.format} ({recognized.reason})"
        if _has_usual_column(format_, body, chosen):
            chosen["column"] = USUAL_COLUMN
        try:
            return Resolved(format_, format_.validated(chosen), description)
        except UsageError as error:
            columns = _first_row(format_, body, chosen)
            raise UnreadableFeedError(f"the body was taken for {description}: {error}{columns}") from None

    def parse(self, body: BinaryIO, options: FormatOptions) -> Iterator[Entry | Rejected]:
        """Yield what the recognized format gives."""
        resolved = self.recognize(body, options)
        yield from resolved.format.parse(body, resolved.options)

    def check_options(self, options: dict[str, Any]) -> None:
        """Make sure that at least one format accepts all these options together.

        :raises UsageError: none does.
        """
        for format_ in self._formats.values():
            with contextlib.suppress(UsageError):
                format_.validated(options)
                return
        raise UsageError(f"format auto: no format takes {', '.join(sorted(options))} together with these values")


def auto_format(formats: Sequence[Format]) -> Format:
    """Return the format ``auto``, which chooses among ``formats`` and has every option of theirs."""
    auto = _Auto(formats)
    fields: dict[str, Any] = {
        name: (Any, None)
        for format_ in formats
        for name in format_.options.model_fields
        if name not in FormatOptions.model_fields
    }
    options = create_model("AutoOptions", __base__=FormatOptions, **fields)
    return Format("auto", options, auto.parse, recognize=auto.recognize, check_options=auto.check_options)


def _has_usual_column(format_: Format, body: BinaryIO, chosen: dict[str, Any]) -> bool:
    """Return whether the column may be left out: the header has one with a usual name, or is not known yet."""
    field = format_.options.model_fields.get("column")
    if field is None or not field.is_required() or "column" in chosen or str(chosen.get("header", True)) != "True":
        return False
    if format_.content != "text":
        return True
    try:
        next(iter(format_.parse(body, format_.options.model_validate(chosen | {"column": USUAL_COLUMN}))), None)
    except (UnreadableFeedError, ValueError):
        return False
    finally:
        body.seek(0)
    return True


def _first_row(format_: Format, body: BinaryIO, chosen: dict[str, Any]) -> str:
    """Return the columns of a text table as the end of a sentence, if the option ``column`` is missing; else ""."""
    if format_.content != "text" or "column" not in format_.options.model_fields or "column" in chosen:
        return ""
    try:
        # No column has this name: the error lists those in the header.
        list(format_.parse(body, format_.options.model_validate(chosen | {"column": "\0"})))
    except UnreadableFeedError as error:
        return f"; its first row is {str(error).partition('it has ')[2]}"
    finally:
        body.seek(0)
    return ""
