"""The server's log: one line a fact on standard error, JSON for machines and columns for a terminal."""

import logging
import os
import sys
from typing import TextIO, cast

import structlog

from api.http.telemetry.flood import Flood
from orchestrator.core.domain.text import visible


def log_to_stderr(*, is_bounded: bool = False) -> None:
    """Log from the level that TEAL_LOG names up (default: info). Other libraries' warnings follow in their own form.

    `is_bounded`: what strangers cause is left out beyond so many lines a second.
    """
    flood = Flood()
    named = logging.getLevelNamesMapping().get(os.environ.get("TEAL_LOG", "").upper(), logging.INFO)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            *((flood,) if is_bounded else ()),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *_rendering(is_terminal=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(named),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, Forgiving(sys.stderr.fileno()))),
    )
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    if is_bounded:
        for handler in logging.getLogger().handlers:
            handler.addFilter(flood.filter)


class Forgiving:
    """Standard error as a log needs it: a line that cannot be written is lost, and whoever logs goes on.

    The disk that is full, or the pipe that nobody reads, may be the log's too.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._text, self._lost = descriptor, "", 0

    def write(self, text: str) -> int:
        """Keep it until `flush`."""
        self._text += text
        return len(text)

    def flush(self) -> None:
        """Write what was kept, and before it how many lines were lost since the last that was written."""
        text, self._text = self._text, ""
        if self._lost:
            text = f"{self._lost} lines of the log could not be written\n{text}"
        left = text.encode(errors="backslashreplace")
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError:
            self._lost += 1
        else:
            self._lost = 0


def _shown(_logger: object, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Every text of a line made visible: JSON escapes by itself, a terminal obeys."""
    return {key: visible(value) if isinstance(value, str) else value for key, value in event.items()}


def _rendering(*, is_terminal: bool) -> list[structlog.typing.Processor]:
    if is_terminal:
        # Its own tracebacks show every variable, and with them what must stay secret.
        return [_shown, structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
