"""The engine's log while it runs in a command: warnings and worse, on standard error, one line each."""

import logging
import os
import sys

import structlog

from orchestrator.core.domain.text import visible

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def quiet_logs() -> None:
    """Log from TEAL_LOG's level up (default: warning). What happened to a rollout is shown from its events."""
    level = LEVELS.get(os.environ.get("TEAL_LOG", "").lower(), LEVELS["warning"])
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%SZ", utc=True),
            _visible,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(
                key_order=["timestamp", "level", "event"], repr_native_str=False
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Looked up at every use: a live view puts its own stream in the place of standard error.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s %(message)s")


def _visible(_logger: object, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {key: visible(value) if isinstance(value, str) else value for key, value in event.items()}
