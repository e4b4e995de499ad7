"""Log lines: readable on a terminal, JSON where a collector reads them. Every line carries its request id."""

import logging
from typing import Any

import structlog


def configure(*, level: str, json: bool) -> dict[str, Any]:
    """Set up structlog and return the dictionary for Django's LOGGING."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        cache_logger_on_first_use=True,
    )
    # The default formatter of exceptions prints local variables, and those hold secrets.
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    renderer = structlog.processors.JSONRenderer() if json else plain
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processor": renderer,
                "foreign_pre_chain": shared,
            }
        },
        "filters": {"answered": {"()": "django.utils.log.CallbackFilter", "callback": _is_no_refused_upgrade}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # One line per request is the proxy's work; ours tell what went wrong.
            "django_structlog": {"level": "ERROR"},
            "uvicorn": {"level": "WARNING"},
            "uvicorn.error": {"filters": ["answered"]},
            "celery": {"level": "WARNING"},
            "django.request": {"level": "ERROR"},
            "axes": {"level": "WARNING"},
        },
    }


def _is_no_refused_upgrade(record: logging.LogRecord) -> bool:
    """The server takes an upgrade that was answered with 401 or 404 for a fault; anybody could fill the log so."""
    return record.msg != "ASGI callable returned without completing handshake."
