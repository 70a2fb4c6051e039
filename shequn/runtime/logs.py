"""Structured logs. Normal operation writes none; message texts and tokens never reach them."""

import logging
import sys
from typing import Any

import structlog


def configure_logging(service: str, level: str, log_format: str) -> None:
    """Send structlog and the standard library's logs to standard error, one line an entry.

    Args:
        service: name of the process, part of every entry.
        level: the least level that is written.
        log_format: ``json`` or ``console``.
    """
    numeric = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(
        level=max(numeric, logging.WARNING), stream=sys.stderr, format="%(levelname)s %(name)s %(message)s"
    )
    renderer: Any = structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
