"""Decoding bid requests.

A typed decoder reads the few members to judge and skips the rest: decoding everything takes five times as long. A JSON
object may contain a member twice, and parsers differ on which one counts (RFC 8259, 4). Some ignore case, such as Go's.
A request that this reader and the bidder read differently would be a way around the list. So the typed decoder accepts
only members that OpenRTB knows, and counts those to judge. Whatever else there is, :func:`decode_exactly` reads.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, get_args, get_origin

import msgspec
from msgspec import Raw

from blocklist.lookup.openrtb.members import (
    Chain,
    ChainExt,
    ChainExtension,
    Channel,
    ChannelExt,
    ChannelExtension,
    Content,
    Context,
    Envelope,
    Node,
    Party,
    Request,
    Source,
    Text,
)

_Struct = TypeVar("_Struct", bound=msgspec.Struct)
#: The one member of each extension that is judged.
_PARTNER, _CHAIN = (extension.__struct_fields__[0] for extension in (ChannelExt, ChainExt))


class Unreadable(NamedTuple):
    """A field that could not be read, and the reason."""

    field: str
    error: str


class InexactError(ValueError):
    """A request has to be read with :func:`decode_exactly`."""


class TypedDecoder:
    """Decodes bid requests that have only members which OpenRTB knows, each of the right type. For use by one thread.

    :attr:`seen` holds the values of type Text of the last request, overwritten ones included.
    """

    __slots__ = ("_chain_ext", "_channel_ext", "_names", "_request", "seen")

    def __init__(self) -> None:
        seen: list[Text] = []

        def record(_: type, text: Any) -> Any:
            seen.append(text)
            return text

        self.seen = seen
        self._request = msgspec.json.Decoder(Request, dec_hook=record).decode
        self._channel_ext = msgspec.json.Decoder(ChannelExt, dec_hook=record).decode
        self._chain_ext = msgspec.json.Decoder(ChainExt, dec_hook=record).decode
        self._names = msgspec.json.Decoder(dict[str, Raw] | None).decode

    def decode(self, body: bytes) -> Request:
        """Return a request, its extensions not decoded.

        :raises InexactError: another reader could understand another request.
        :raises ValueError: it is not JSON, or nested too deeply.
        """
        self.seen.clear()
        try:
            return self._request(body)
        except msgspec.ValidationError:
            raise InexactError from None
        except (ValueError, RecursionError) as error:
            raise _json_error(error) from None

    def partner(self, extension: ChannelExtension) -> Text | None:
        """Return the inventory partner's domain in the extension of a channel.

        :raises InexactError: another reader could understand another one.
        """
        if isinstance(extension, Raw):
            extension = self._opened(extension, _PARTNER, self._channel_ext)
        return extension.inventorypartnerdomain if extension else None

    def chain(self, extension: ChainExtension) -> Chain | None:
        """Return the supply chain in the extension of a source or a request.

        :raises InexactError: another reader could understand another one.
        """
        if isinstance(extension, Raw):
            extension = self._opened(extension, _CHAIN, self._chain_ext)
        return extension.schain if extension else None

    def _opened(self, extension: Raw, member: str, decode: Callable[[Raw], _Struct]) -> _Struct | None:
        """Return an extension; None if it does not have the member to judge."""
        text, name = bytes(extension), member.encode()
        lower = text.lower()
        plain = b"\\" not in text and text.isascii()
        if plain and name not in lower and (text[:1] == b"{" or text == b"null"):
            return None
        try:
            if not plain or text.count(name) != lower.count(name):
                names = self._names(extension) or {}
                if any(other.casefold() == member and other != member for other in names):
                    raise InexactError
            return decode(extension)
        except msgspec.ValidationError:
            raise InexactError from None


class _DecoderOfThread(threading.local):
    def __init__(self) -> None:
        self.decoder = TypedDecoder()


#: The decoder of the current thread is :attr:`decoder`.
DECODERS = _DecoderOfThread()


def decode_exactly(body: bytes, unreadable: list[Unreadable]) -> Request:
    """Return a request as every reader of it could understand it: the case of members does not matter.

    Members that cannot be read are added to ``unreadable``.

    :raises ValueError: it is not JSON, not an object, or has a member to judge twice.
    """
    try:
        raw = json.loads(body, object_pairs_hook=_Pairs, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise _json_error(error) from None
    return _read(Request, raw, "", unreadable)


class _Pairs(list[tuple[str, Any]]):
    """The members of a JSON object, repeated ones included."""


class _Member(NamedTuple):
    """How a member is read: as an object of a type, a list of such objects, a copy of any value, or a text."""

    wanted: str
    struct: type[msgspec.Struct] = msgspec.Struct


_OBJECT, _LIST, _COPY, _TEXT = "an object", "a list", "any value", "a string"


def _read_members(struct: type[msgspec.Struct]) -> dict[str, _Member]:
    """Return the members of a type that are not skipped."""
    found: dict[str, _Member] = {}
    for field in msgspec.structs.fields(struct):
        nested = (get_args(field.type) or (field.type,))[0]
        if field.name == "ext" and struct in _EXTENSIONS:
            found["ext"] = _Member(_OBJECT, _EXTENSIONS[struct])
        elif get_origin(nested) is list:
            found[field.name] = _Member(_LIST, get_args(nested)[0])
        elif issubclass(nested, msgspec.Struct):
            found[field.name] = _Member(_OBJECT, nested)
        elif nested is not Raw:
            found[field.name] = _Member(_TEXT if nested is Text else _COPY)
    return found


_EXTENSIONS: dict[type[msgspec.Struct], type[msgspec.Struct]] = {
    **dict.fromkeys((Request, Source), ChainExt),
    Channel: ChannelExt,
}
_STRUCTS: tuple[type[msgspec.Struct], ...] = (
    *(Request, Envelope, Context, Channel, ChannelExt, Content, Party, Source, ChainExt, Chain, Node),
)
_MEMBERS = {struct: _read_members(struct) for struct in _STRUCTS}


def _read(struct: type[_Struct], raw: Any, path: str, unreadable: list[Unreadable]) -> _Struct:
    """Return the members of an object that can be read; the others are added to ``unreadable``.

    ``path`` is put before the names of members, such as ``site.``.

    :raises ValueError: ``raw`` is not an object, or has a member twice.
    """
    if not isinstance(raw, _Pairs):
        raise ValueError("a bid request is a JSON object")
    members = _MEMBERS[struct]
    read: dict[str, Any] = {}
    for name, value in _unique(raw, members).items():
        (wanted, nested), field = members[name], f"{path}{name}"
        if value is None or wanted is _COPY:
            read[name] = value
        elif wanted is _LIST and type(value) is list:
            read[name] = _read_list(nested, value, field, unreadable)
        elif wanted is _OBJECT and isinstance(value, _Pairs):
            read[name] = _read(nested, value, f"{field}.", unreadable)
        elif wanted is _TEXT and isinstance(value, str | int):
            read[name] = value
        else:
            unreadable.append(Unreadable(field, f"must be {wanted}"))
    return struct(**read)


def _read_list(struct: type[_Struct], values: list[Any], path: str, unreadable: list[Unreadable]) -> list[_Struct]:
    read = []
    for index, value in enumerate(values):
        field = f"{path}[{index}]"
        if isinstance(value, _Pairs):
            read.append(_read(struct, value, f"{field}.", unreadable))
        else:
            unreadable.append(Unreadable(field, "must be an object"))
            read.append(struct())
    return read


def _unique(pairs: _Pairs, members: dict[str, _Member]) -> dict[str, Any]:
    """Return the members that are read, under the names that OpenRTB has for them.

    :raises ValueError: one of them is there twice, be it in another case.
    """
    values: dict[str, Any] = {}
    spellings: dict[str, str] = {}
    for spelling, value in pairs:
        name = spelling.casefold()
        if name not in members:
            continue
        if members[name].wanted is _COPY:
            if name == spelling:
                values[name] = value
        elif name not in values:
            values[name], spellings[name] = value, spelling
        elif spellings[name] == spelling:
            raise ValueError(f"an object has the member {spelling!r} twice")
        else:
            both = f"{spellings[name]!r} and {spelling!r}"
            raise ValueError(f"an object has the members {both}: readers that ignore case take them for one")
    return values


def _json_error(error: Exception) -> ValueError:
    reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error).partition(";")[0]
    return ValueError(f"the body is not JSON that can be read: {reason}")


def _refuse_constant(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")
