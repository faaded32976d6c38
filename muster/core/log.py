"""Structured logging to standard error. What is logged is counts, ids and slugs: never a name, a
document number, a phone or a body. Database errors are logged by class and constraint only, since
their DETAIL quotes values.
"""

import logging
import sys
from typing import Any

import structlog


def configure(*, json: bool, level: str = "INFO") -> None:
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def error_facts(error: BaseException) -> dict[str, str]:
    """What may be said of an error in a log: its class, and for the database its code and place."""
    facts = {"error": type(error).__name__}
    diag = getattr(error, "diag", None)
    if diag is not None:
        for name in ("sqlstate", "schema_name", "table_name", "constraint_name"):
            if value := getattr(diag, name, None):
                facts[name] = value
    return facts


logger = structlog.get_logger()
