"""HTTPS on the control plane."""

from __future__ import annotations

import ssl

from blocklist.domain.errors import ConfigurationError


def tls(certificate: str, key: str) -> ssl.SSLContext | None:
    """Return the TLS context of a certificate chain and its key (PEM files); None where neither is configured.

    :raises ConfigurationError: one of them is missing or cannot be read, or they do not belong together.
    """
    if not certificate and not key:
        return None
    if not certificate or not key:
        raise ConfigurationError("serve.tls_certificate and serve.tls_key belong together: set both, or none")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"serve.tls_certificate {certificate}, serve.tls_key {key}: {error}") from None
    return context
