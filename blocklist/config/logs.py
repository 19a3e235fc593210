"""Logging: one line per event on standard error, as text or JSON."""

from __future__ import annotations

import logging
import sys

import stamina.instrumentation
import structlog

from blocklist.config.settings import LogSettings


def configure_logs(settings: LogSettings, *, quiet: bool = False) -> None:
    """Configure logging for the level in the settings; ``quiet`` raises the level ``info`` to ``warning``."""
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    if quiet and level == logging.INFO:
        level = logging.WARNING
    renderer = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.json_lines
        else structlog.dev.ConsoleRenderer(
            # Plain tracebacks: those with local variables would show the secrets of feeds.
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if settings.json_lines else structlog.processors.StackInfoRenderer(),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # The result of a command says how many attempts it took; the service logs each attempt.
    stamina.instrumentation.set_on_retry_hooks(() if quiet else None)
    # What matters of the libraries' events is in the outcome of a run; their own logs are for debugging.
    logging.basicConfig(level=logging.DEBUG if level <= logging.DEBUG else logging.ERROR, stream=sys.stderr)
