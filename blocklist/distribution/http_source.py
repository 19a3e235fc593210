"""Read the objects of a publisher over HTTP, such as from a CDN in front of a bucket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import httpx

import blocklist
from blocklist.distribution.objects import RefusedError, Tagged, shown_url
from blocklist.domain.errors import DistributionError

_REFUSED, _MISSING = (401, 403), (404, 410)
_UNCHANGED = 304
_MAX_REDIRECTS = 3


class HttpSource:
    """Objects below an HTTP address."""

    def __init__(self, url: str) -> None:
        self.shown = shown_url(url)
        self._base = httpx.URL(url)
        self._client = httpx.Client(
            timeout=httpx.Timeout(10, connect=5),
            follow_redirects=True,
            max_redirects=_MAX_REDIRECTS,
            # Without compression: the size of what arrives is the size of the file.
            headers={"Accept-Encoding": "identity", "User-Agent": f"blocklist/{blocklist.__version__}"},
        )

    def chunks(self, path: str) -> Iterator[memoryview] | None:
        """See :class:`Source`."""
        answer = self._get(path, {})
        if answer.status_code in _MISSING:
            answer.close()
            return None
        return self._pieces(path, answer)

    def read_if_changed(self, path: str, limit: int, tag: str | None) -> Tagged | None:
        """See :class:`Source`."""
        answer = self._get(path, {"If-None-Match": tag} if tag else {})
        if answer.status_code == _UNCHANGED:
            answer.close()
            return None
        if answer.status_code in _MISSING:
            answer.close()
            raise DistributionError(f"{self.shown}: there is no {path}: nothing was published there yet")
        data = bytearray()
        for piece in self._pieces(path, answer):
            data += piece
            if len(data) > limit:
                raise DistributionError(f"{self.shown}: {path} has more than {limit:,} bytes")
        return Tagged(bytes(data), answer.headers.get("ETag"))

    def _get(self, path: str, headers: Mapping[str, str]) -> httpx.Response:
        url = self._base.copy_with(path=f"{self._base.path.rstrip('/')}/{path}")
        try:
            answer = self._client.send(self._client.build_request("GET", url, headers=headers), stream=True)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise DistributionError(f"{self.shown}: {path} cannot be read: {_reason(error)}") from None
        status = answer.status_code
        if answer.is_success or status in (_UNCHANGED, *_MISSING):
            return answer
        answer.close()
        type_ = RefusedError if status in _REFUSED else DistributionError
        raise type_(
            f"{self.shown}: {path} cannot be read: the server answers {status} {answer.reason_phrase[:60]}".rstrip()
        )

    def _pieces(self, path: str, answer: httpx.Response) -> Iterator[memoryview]:
        try:
            for piece in answer.iter_raw(1 << 16):
                yield memoryview(piece)
        except httpx.HTTPError as error:
            raise DistributionError(f"{self.shown}: {path} cannot be read: {_reason(error)}") from None
        finally:
            answer.close()


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
