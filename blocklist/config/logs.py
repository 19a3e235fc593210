"""Logging: one line an event on standard error, as text or as JSON."""

from __future__ import annotations

import logging
import sys

import stamina.instrumentation
import structlog

from blocklist.config.settings import LogSettings


def configure_logs(settings: LogSettings, *, quiet: bool = False) -> None:
    """Write events of the configured level and above; ``quiet`` leaves only warnings and worse."""
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    if quiet and level == logging.INFO:
        level = logging.WARNING
    renderer = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.json_lines
        else structlog.dev.ConsoleRenderer(
            # Never the tracebacks that show local variables: secrets of feeds are among them.
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
    # A command says in its result how many attempts it took; the service tells of each in its log.
    stamina.instrumentation.set_on_retry_hooks(() if quiet else None)
    # Libraries say what matters through the outcome of a run; their own chatter is for debugging.
    logging.basicConfig(level=logging.DEBUG if level <= logging.DEBUG else logging.ERROR, stream=sys.stderr)
