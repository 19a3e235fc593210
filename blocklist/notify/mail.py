"""E-mail through the operator's mail server (RFC 5321), encrypted unless configured otherwise."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate

from blocklist.config.notifications import EmailSettings, NotifySettings
from blocklist.config.settings import FetchSettings
from blocklist.fetch.connections import tls_context
from blocklist.notify.messages import Message
from blocklist.notify.webhook import DeliveryError
from blocklist.text.sanitize import sanitize


def send(channel: EmailSettings, settings: NotifySettings, fetching: FetchSettings, message: Message) -> str | None:
    """Mail a message; return the recipients that the server refused where it accepted others, else None.

    The certificate authorities of ``fetch.ca_file`` are trusted here too.

    :raises DeliveryError: the server could not be reached, is not trusted, or refused every recipient.
    :raises ConfigurationError: the password cannot be read.
    """
    try:
        with _connected(settings, tls_context(fetching.ca_file)) as server:
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password())
            refused = server.send_message(_email(channel, settings, message))
    except smtplib.SMTPRecipientsRefused as error:
        final = all(code >= 500 for code, _ in error.recipients.values())
        raise DeliveryError(_refusals(settings, error.recipients), final=final) from None
    except (smtplib.SMTPException, OSError) as error:
        raise DeliveryError(f"{settings.smtp_host}: {sanitize(_reason(error), 300)}") from None
    return _refusals(settings, refused) if refused else None


def _connected(settings: NotifySettings, context: ssl.SSLContext) -> smtplib.SMTP:
    host, port = settings.smtp_host, settings.smtp_port
    if settings.smtp_security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=settings.timeout, context=context)
    server = smtplib.SMTP(host, port, timeout=settings.timeout)
    try:
        if settings.smtp_security == "starttls":
            server.starttls(context=context)
    except BaseException:
        server.close()
        raise
    return server


def _email(channel: EmailSettings, settings: NotifySettings, message: Message) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = sanitize(f"[blocklist] {message.summary}", 200)
    mail["From"] = settings.smtp_from
    mail["To"] = ", ".join(channel.to)
    mail["Date"] = formatdate()
    # The same at every attempt, so that a mailbox can recognize a message that comes twice.
    mail["Message-ID"] = f"<{message.id}@{settings.smtp_from.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    return mail


def _refusals(settings: NotifySettings, refused: dict[str, tuple[int, bytes]]) -> str:
    reasons = "; ".join(f"{to}: {code} {text.decode('utf-8', 'replace')}" for to, (code, text) in refused.items())
    return f"{settings.smtp_host} refused {sanitize(reasons, 300)}"


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        return f"{error.smtp_code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"
    return str(error) or type(error).__name__
