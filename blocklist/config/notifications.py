"""The settings of notifications: which events go to which channel, and how each channel is reached."""

from __future__ import annotations

import base64
import binascii
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from blocklist.domain.errors import ConfigurationError
from blocklist.text.field_types import MaybeSeconds, Seconds, StrictModel

#: Bytes of a signing key (Standard Webhooks 1.0: between 192 and 512 bits).
_MIN_KEY, _MAX_KEY = 24, 64


class Event(StrEnum):
    """What people can be notified of."""

    FEED_STALE = "feed_stale"
    RUN_FAILED = "run_failed"
    RUN_HELD = "run_held"
    ENTRY_HELD = "entry_held"
    ENTRY_FLAGGED = "entry_flagged"
    SNAPSHOT_UNPUBLISHED = "snapshot_unpublished"
    SNAPSHOT_UNSENT = "snapshot_unsent"
    TRUST_EXPIRES = "trust_expires"


class _Channel(StrictModel):
    events: tuple[Event, ...] = Field((), description="Events that are sent here; empty: all.")

    def wants(self, event: Event) -> bool:
        """Return whether an event is sent to this channel."""
        return not self.events or event in self.events


def _address(url: str) -> str:
    import httpx  # noqa: PLC0415 - loaded only if a webhook is configured

    # The message does not repeat the address, which may be a secret itself.
    try:
        httpx.URL(url)
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and parts.port != 0 and "@" not in parts.netloc
        fits = fits and bool(parts.hostname) and url.isprintable() and " " not in url
    except (ValueError, httpx.InvalidURL):
        fits = False
    if not fits:
        raise ValueError("not an address such as https://hooks.example/blocklist")
    return url


def _mailbox(text: str) -> str:
    name, _, host = text.rpartition("@")
    if not (name and host and text.isprintable() and text.isascii() and not set(text) & set(' ,;<>"')):
        raise ValueError(f"{text!r} is not an e-mail address, such as ops@example.com")
    return text


Mailbox = Annotated[str, AfterValidator(_mailbox)]


class WebhookSettings(_Channel):
    """An address that notifications are posted to, signed by the Standard Webhooks specification."""

    url: Annotated[str, AfterValidator(_address)] = Field(repr=False)
    secret_file: str = ""
    secret_env: str = ""

    @model_validator(mode="after")
    def _one_secret(self) -> WebhookSettings:
        if bool(self.secret_file) == bool(self.secret_env):
            raise ValueError("set either secret_file or secret_env, where the signing secret is")
        return self

    def key(self) -> bytes:
        """Return the key that messages are signed with.

        :raises ConfigurationError: the key cannot be read, or has the wrong form.
        """
        text = _secret(self.secret_file, self.secret_env)
        try:
            key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            key = b""
        if not _MIN_KEY <= len(key) <= _MAX_KEY:
            raise ConfigurationError(
                f"{_location(self.secret_file, self.secret_env)} contains no signing secret: {_MIN_KEY} to {_MAX_KEY} "
                "random bytes in base64, such as 'openssl rand -base64 32' prints"
            )
        return key


class EmailSettings(_Channel):
    """People who get notifications by e-mail."""

    to: tuple[Mailbox, ...] = Field(min_length=1)


class NotifySettings(StrictModel):
    """Notifications of problems; nothing is sent without a channel below."""

    gather: MaybeSeconds = Field(
        60, description="How long events are collected, so that many at once become one message."
    )
    pause: MaybeSeconds = Field(300, description="Shortest time between two messages.")
    remind: Seconds = Field(86_400, description="Time after which a problem that persists is reported again.")
    timeout: Seconds = Field(20, description="Longest time that the delivery of one message may take.")
    smtp_host: str = Field("", description="Mail server that sends e-mail.")
    smtp_port: int = Field(
        587, ge=1, le=65_535, description="Port of the mail server: usually 587 with starttls, 465 with tls."
    )
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description='Encryption: "starttls", "tls" from the first byte, or "none" without a password.'
    )
    smtp_user: str = Field("", description="User of the mail server; empty for none.")
    smtp_password_file: str = Field("", description="File with the password of the user.")
    smtp_password_env: str = Field("", description="Or the environment variable with it.")
    smtp_from: str = Field("", description="Sender address of e-mail.")
    webhook: dict[str, WebhookSettings] = Field({})
    email: dict[str, EmailSettings] = Field({})

    @model_validator(mode="after")
    def _mail_can_be_sent(self) -> NotifySettings:
        if self.email and not self.smtp_host:
            raise ValueError("e-mail needs smtp_host, the server that sends it")
        if self.email or self.smtp_from:
            _mailbox(self.smtp_from)
        if self.smtp_user and bool(self.smtp_password_file) == bool(self.smtp_password_env):
            raise ValueError("set either smtp_password_file or smtp_password_env, where the password of smtp_user is")
        if self.smtp_user and self.smtp_security == "none":
            raise ValueError('smtp_security "none" would send the password of smtp_user unencrypted')
        return self

    @property
    def channels(self) -> dict[str, WebhookSettings | EmailSettings]:
        """Every channel by its full name, such as ``webhook:pager`` or ``email:team``."""
        return {
            **{f"webhook:{name}": channel for name, channel in self.webhook.items()},
            **{f"email:{name}": channel for name, channel in self.email.items()},
        }

    def smtp_password(self) -> str:
        """Return the password of ``smtp_user``.

        :raises ConfigurationError: the password cannot be read.
        """
        return _secret(self.smtp_password_file, self.smtp_password_env)


def _secret(file: str, env: str) -> str:
    where = _location(file, env)
    try:
        value = Path(file).read_text(encoding="utf-8").strip() if file else os.environ.get(env, "").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{where} cannot be read: {getattr(error, 'strerror', 'not UTF-8 text')}") from None
    if not value:
        raise ConfigurationError(f"{where} is empty or not set")
    return value


def _location(file: str, env: str) -> str:
    return f"the file {file}" if file else f"the environment variable {env}"
