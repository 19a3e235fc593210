"""Webhooks, as Standard Webhooks 1.0 signs them (github.com/standard-webhooks/standard-webhooks)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

import httpcore
import httpx

import blocklist
from blocklist.config.notifications import WebhookSettings
from blocklist.config.settings import FetchSettings
from blocklist.domain.errors import BlocklistError, FetchError
from blocklist.fetch.connections import CheckedTransport, Deadline, tls_context
from blocklist.notify.messages import Message
from blocklist.text.compact_json import compact_json
from blocklist.text.sanitize import sanitize

_GONE = 410


class DeliveryError(BlocklistError):
    """A message could not be delivered; ``final`` where another attempt would not help."""

    def __init__(self, sentence: str, *, final: bool = False) -> None:
        super().__init__(sentence)
        self.final = final


def post(channel: WebhookSettings, fetching: FetchSettings, timeout: float, message: Message) -> None:
    """Post a message. It goes only to public addresses, and to those that feeds may be fetched from.

    :raises DeliveryError: there was no answer with status 2xx; redirects are not followed.
    :raises ConfigurationError: the signing secret cannot be read.
    """
    body = compact_json(message.content).encode()
    stamp = str(int(time.time()))
    headers = {
        "User-Agent": f"blocklist/{blocklist.__version__}",
        "Content-Type": "application/json",
        "webhook-id": message.id,
        "webhook-timestamp": stamp,
        "webhook-signature": signature(channel.key(), message.id, stamp, body),
    }
    host = httpx.URL(channel.url).host
    deadline = Deadline(timeout, "notify.timeout")
    try:
        transport = CheckedTransport(fetching, deadline, tls_context(fetching.ca_file))
        with (
            httpx.Client(transport=transport, trust_env=False, timeout=timeout) as client,
            client.stream("POST", channel.url, headers=headers, content=body) as answer,
        ):
            status, reason = answer.status_code, answer.reason_phrase
    except FetchError as error:
        raise DeliveryError(f"{host}: {error}") from None
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpx.HTTPError) as error:
        cause = deadline.message if deadline.passed else str(error) or type(error).__name__
        raise DeliveryError(f"{host}: no answer: {cause}") from None
    if not 200 <= status < 300:
        raise DeliveryError(sanitize(f"{host} answered {status} {reason}", 300).rstrip(), final=status == _GONE)


def signature(key: bytes, id_: str, timestamp: str, body: bytes) -> str:
    """Return the value of the header ``webhook-signature``: HMAC-SHA256 over id, time and body.

    >>> signature(b"k" * 24, "msg_1", "1700000000", b"{}")
    'v1,E3sCg9uS8x43RKlJqcda1EcaYZxNkN+l2u7RBZBSZQQ='
    """
    digest = hmac.new(key, f"{id_}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode('ascii')}"
