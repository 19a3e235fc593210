"""Which addresses a feed may be fetched from: public ones, checked after the name is resolved."""

from __future__ import annotations

import socket
import threading
from typing import Any

from blocklist.config.settings import FetchSettings
from blocklist.domain.errors import FetchError
from blocklist.normalize.public_addresses import is_public


def public_addresses(host: str, port: int, settings: FetchSettings, within: float | None = None) -> list[str]:
    """Return the addresses of a host that feeds may be fetched from; ``within`` are the seconds to resolve its name.

    :raises FetchError: the name does not resolve, or leads to no public address and is not allowed by name.
    :raises TimeoutError: it did not resolve in time.
    """
    try:
        addresses = _resolved(host, port, within)
    except TimeoutError:
        raise
    except (OSError, UnicodeError) as error:
        raise FetchError(f"{host}: the name cannot be resolved: {error}") from None
    if host.lower() in {allowed.lower() for allowed in settings.allow_private_hosts}:
        return addresses
    public = [address for address in addresses if is_public(address)]
    if not public:
        raise FetchError(
            f"{host}: leads to {addresses[0]}, which is not a public address; if the feed really is there, "
            "add the host to fetch.allow_private_hosts"
        )
    return public


def _resolved(host: str, port: int, within: float | None) -> list[str]:
    """Return every address of a host.

    On a thread of its own: ``getaddrinfo`` takes no time limit, and a name server may be as slow as it likes.
    """
    found: list[str] = []
    failed: list[Exception] = []

    def resolve() -> None:
        try:
            found.extend(_numeric(info[4]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            failed.append(error)

    thread = threading.Thread(target=resolve, name="resolve", daemon=True)
    thread.start()
    thread.join(within)
    if thread.is_alive():
        raise TimeoutError
    if failed:
        raise failed[0]
    return list(dict.fromkeys(found))


def _numeric(address: tuple[Any, ...]) -> str:
    """Return an address of the resolver as text; the scope of an IPv6 one comes as a number beside it."""
    text = str(address[0])
    return f"{text}%{address[3]}" if len(address) == 4 and address[3] and "%" not in text else text
