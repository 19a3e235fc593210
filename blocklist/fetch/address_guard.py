"""Decides which addresses feeds may be fetched from: public ones, checked after the name is resolved."""

from __future__ import annotations

import socket
import threading
from typing import Any

from blocklist.config.settings import FetchSettings
from blocklist.domain.errors import FetchError
from blocklist.normalize.public_addresses import is_public


def public_addresses(host: str, port: int, settings: FetchSettings, timeout: float | None = None) -> list[str]:
    """Return the addresses of a host that feeds may be fetched from.

    :raises FetchError: the name does not resolve, or has no public address and is not in the allowed hosts.
    :raises TimeoutError: the name was not resolved in ``timeout`` seconds.
    """
    try:
        addresses = _resolve(host, port, timeout)
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


def _resolve(host: str, port: int, timeout: float | None) -> list[str]:
    """Resolve a name in a separate thread, because ``getaddrinfo`` has no time limit and name servers may be slow."""
    found: list[str] = []
    failed: list[Exception] = []

    def resolve() -> None:
        try:
            found.extend(_numeric(info[4]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            failed.append(error)

    thread = threading.Thread(target=resolve, name="resolve", daemon=True)
    thread.start()
    thread.join(timeout)
    if thread.is_alive():
        raise TimeoutError
    if failed:
        raise failed[0]
    return list(dict.fromkeys(found))


def _numeric(address: tuple[Any, ...]) -> str:
    """Return a socket address as text; the scope of an IPv6 address, a separate number in it, is appended."""
    text = str(address[0])
    return f"{text}%{address[3]}" if len(address) == 4 and address[3] and "%" not in text else text
