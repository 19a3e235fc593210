"""The store that signed snapshots are sent to: an object store, or a folder, through obstore.

Of the store only "create" needs to work as promised: that an object that exists is not written again. Errors are one
sentence each, without credentials.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import obstore
from obstore import exceptions
from obstore.store import from_url

from blocklist.domain.errors import DistributionError

#: Schemes of object stores and folders, as obstore takes them.
SCHEMES = ("s3", "gs", "az", "file")
#: How long an object may be kept by caches: those whose names change with their content for good.
_FOREVER, _SECOND = "public, max-age=31536000, immutable", "public, max-age=1"
#: What obstore's clients do: short enough to tell people soon, and to come to the next attempt.
_CLIENT: dict[str, Any] = {"connect_timeout": "5s", "timeout": "60s"}
_RETRY: dict[str, Any] = {"max_retries": 2, "retry_timeout": timedelta(seconds=15)}
#: Codes of S3, Azure and Google for credentials that do not fit.
_REFUSED = frozenset(
    ("AccessDenied", "AuthenticationFailed", "AuthorizationFailure", "InvalidAccessKeyId", "SignatureDoesNotMatch")
)
_SKEWED = frozenset(("RequestTimeTooSkewed", "RequestExpired"))
_MISSING = frozenset(("NoSuchBucket", "ContainerNotFound"))


class StoreAddress(NamedTuple):
    """Where a store is: its URL, and what obstore needs besides (``endpoint``, ``region``, credentials)."""

    url: str
    options: Mapping[str, str]

    @property
    def shown(self) -> str:
        """The URL without a user, a password or a query, for people to read."""
        return shown_url(self.url)


class Tagged(NamedTuple):
    """An object's bytes, and the tag that changes with them."""

    data: bytes
    tag: str | None


class RefusedError(DistributionError):
    """The store refuses the credentials for an object, or does not say whether there is one."""


class ObjectStore:
    """The objects below one address, by their paths."""

    def __init__(self, address: StoreAddress, *, create_folder: bool = True) -> None:
        """Prepare; nothing is sent yet. The folder of a ``file:`` address is created if it is missing and may be.

        :raises DistributionError: the address or an option of it is wrong.
        """
        self._address = address
        scheme = urlsplit(address.url).scheme
        if scheme not in SCHEMES:
            raise DistributionError(
                f"{address.shown}: not the address of a store: write s3://BUCKET/PREFIX, gs://…, az://… or file:///FOLDER"
            )
        self._is_folder = scheme == "file"
        options = dict(address.options)
        plain = options.get("endpoint", "").startswith("http://")
        remote: dict[str, Any] = {
            "config": options,
            "client_options": {**_CLIENT, "allow_http": plain},
            "retry_config": _RETRY,
        }
        given: dict[str, Any] = {"mkdir": create_folder} if self._is_folder else remote
        try:
            self._store: Any = from_url(address.url, **given)
        except Exception as error:
            raise self._failed("cannot be opened", error) from None

    def create(self, path: str, data: bytes) -> bool:
        """Write an object that may be cached forever; return False if there is one already.

        :raises DistributionError: the store cannot be written.
        """
        try:
            obstore.put(self._store, path, data, mode="create", attributes=self._attributes(path, _FOREVER))
        except exceptions.AlreadyExistsError:
            return False
        except Exception as error:
            raise self._failed(f"{path} cannot be written", error) from None
        return True

    def create_named(self, path: str, data: bytes | memoryview) -> None:
        """Write an object whose name has the hash of its content, unless it is there with its whole size.

        :raises DistributionError: the store cannot be written.
        """
        if self.size(path) == len(data):
            return
        try:
            # Whoever writes it writes the same. Large files go in parts, which "create" cannot.
            obstore.put(self._store, path, data, attributes=self._attributes(path, _FOREVER))
        except Exception as error:
            raise self._failed(f"{path} cannot be written", error) from None

    def replace(self, path: str, data: bytes) -> None:
        """Write an object that caches may keep for a second, whether there is one already or not.

        :raises DistributionError: the store cannot be written.
        """
        try:
            obstore.put(self._store, path, data, attributes=self._attributes(path, _SECOND))
        except Exception as error:
            raise self._failed(f"{path} cannot be written", error) from None

    def chunks(self, path: str) -> Iterator[memoryview] | None:
        """Return the bytes of an object in pieces, or None if there is no such object.

        :raises DistributionError: the store cannot be read.
        """
        found = self._get(path)
        return None if found is None else self._pieces(path, found)

    def read(self, path: str, limit: int) -> bytes | None:
        """Return the bytes of an object, or None if there is no such object.

        :raises DistributionError: the store cannot be read, or the object is larger than ``limit`` bytes.
        """
        found = self._get(path)
        return None if found is None else self._whole(path, found, limit)

    def read_if_changed(self, path: str, limit: int, tag: str | None) -> Tagged | None:
        """Return an object with its tag, or None if it has the tag ``tag`` still.

        :raises DistributionError: the store cannot be read, the object is larger than ``limit`` bytes, or missing.
        """
        try:
            found = self._get(path, {"if_none_match": tag} if tag else None)
        except exceptions.NotModifiedError:
            return None
        if found is None:
            raise DistributionError(f"{self._address.shown}: there is no {path}: nothing was published there yet")
        return Tagged(self._whole(path, found, limit), found.meta["e_tag"])

    def size(self, path: str) -> int | None:
        """Return the size of an object in bytes, or None if there is no such object.

        :raises DistributionError: the store cannot be read.
        """
        try:
            return int(obstore.head(self._store, path)["size"])
        except FileNotFoundError:
            return None
        except Exception as error:
            raise self._failed(f"{path} cannot be read", error) from None

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the sizes in bytes of all objects in a folder, by their paths.

        :raises DistributionError: the store cannot be read.
        """
        try:
            return {item["path"]: item["size"] for page in obstore.list(self._store, folder) for item in page}
        except Exception as error:
            raise self._failed(f"{folder}/ cannot be listed", error) from None

    def delete(self, paths: Iterable[str]) -> None:
        """Remove objects; those that are gone already do not matter.

        :raises DistributionError: the store cannot be written.
        """
        for path in paths:
            try:
                obstore.delete(self._store, path)
            except FileNotFoundError:
                continue
            except Exception as error:
                raise self._failed(f"{path} cannot be removed", error) from None

    def _get(self, path: str, options: Any = None) -> Any:
        """Return the answer of the store, or None if there is no such object.

        :raises NotModifiedError: the object is not changed, if the options ask that.
        """
        try:
            return obstore.get(self._store, path, options=options)
        except exceptions.NotModifiedError:
            raise
        except FileNotFoundError as error:
            if _code(error) in _MISSING:
                raise self._failed(f"{path} cannot be read", error) from None
            return None
        except Exception as error:
            raise self._failed(f"{path} cannot be read", error) from None

    def _whole(self, path: str, found: Any, limit: int) -> bytes:
        data = bytearray()
        for piece in self._pieces(path, found):
            data += piece
            if len(data) > limit:
                raise DistributionError(f"{self._address.shown}: {path} has more than {limit:,} bytes")
        return bytes(data)

    def _pieces(self, path: str, found: Any) -> Iterator[memoryview]:
        try:
            for piece in found.stream(min_chunk_size=1 << 16):
                yield memoryview(piece)
        except Exception as error:
            raise self._failed(f"{path} cannot be read", error) from None

    def _attributes(self, path: str, caching: str) -> Any:
        if self._is_folder:
            return None  # files have none
        media = "application/json" if path.endswith(".json") else "application/octet-stream"
        return {"Cache-Control": caching, "Content-Type": media}

    def _failed(self, what: str, error: Exception) -> DistributionError:
        type_ = RefusedError if _is_refused(error) else DistributionError
        return type_(f"{self._address.shown}: {what}: {_cause(error)}")


def shown_url(url: str) -> str:
    """Return a URL without a user, a password or a query.

    >>> shown_url("https://user:secret@cdn.example/list?token=1")
    'https://cdn.example/list'
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def _code(error: Exception) -> str:
    found = re.search(r"<Code>(\w{1,60})</Code>", str(error))
    return found[1] if found else ""


def _is_refused(error: Exception) -> bool:
    types = (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError, PermissionError)
    return _code(error) in _REFUSED or (isinstance(error, types) and _code(error) not in _SKEWED)


def _cause(error: Exception) -> str:
    """Return what went wrong. The library's text is not repeated as a whole: it quotes requests and answers."""
    text, code = str(error), _code(error)
    told = f" ({code})" if code else ""
    status = re.search(r"status code: (\d{3} [A-Za-z ]{1,40})", text)
    causes = (
        (code in _SKEWED, f"the store refuses the time of this machine{told}: set its clock"),
        (code in _MISSING, f"there is no such bucket or container{told}: create it, or correct the address"),
        (_is_refused(error), f"the store refuses the credentials{told}: see distribution.options"),
        (isinstance(error, exceptions.UnknownConfigurationKeyError), f"an option is not known: {_first_line(text)}"),
        ("Unable to canonicalize" in text, "there is no such folder, or its disk is not mounted"),
        ("kind: Timeout" in text or "operation timed out" in text, "it does not answer in time"),
        ("kind: Connect" in text or "error sending request" in text, "it cannot be reached"),
        (status is not None, f"it answers {status[1].strip() if status else ''}{told}"),
    )
    return next((sentence for applies, sentence in causes if applies), _first_line(text))


def _first_line(text: str) -> str:
    line = text.partition("\n")[0]
    return re.sub(r"\?\S*", "?…", line)[:200]
