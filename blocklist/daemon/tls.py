"""HTTPS on the control plane."""

from __future__ import annotations

import socket
import ssl
from typing import Any

from cheroot.ssl.builtin import BuiltinSSLAdapter

from blocklist.domain.errors import ConfigurationError


class Tls(BuiltinSSLAdapter):
    """cheroot's adapter for Python's own TLS, with the handshake in the thread that answers the request.

    In cheroot, the one thread that accepts connections does the handshake: a client that connects and sends nothing
    would make all others wait.
    """

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, Any]]:
        """Return the socket, whose first read does the handshake, and what it adds to the environment of requests."""
        wrapped = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return wrapped, {"wsgi.url_scheme": "https", "HTTPS": "on"}


def tls(certificate: str, key: str) -> Tls | None:
    """Return the adapter for a certificate and its key; None where neither is configured.

    :raises ConfigurationError: one of them is missing or cannot be read, or they do not belong together.
    """
    if not certificate and not key:
        return None
    if not certificate or not key:
        raise ConfigurationError("serve.tls_certificate and serve.tls_key belong together: set both, or none")
    try:
        return Tls(certificate, key)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"serve.tls_certificate {certificate}, serve.tls_key {key}: {error}") from None
