"""What the settings say of a live capture, at the start and after SIGHUP."""

import logging
import signal
import threading
from dataclasses import fields, replace
from types import FrameType
from typing import Any, Final, Self

from ingest.capture.live.options import CaptureOptions
from segwatch.errors import UsageError
from segwatch.settings import LEAST_SNAPLEN, MOST_SNAPLEN, Settings, buffer_bytes, read_again, settings

_log = logging.getLogger(__name__)

_FILTER: Final = "filter"


def capture_options(chosen: Settings, **others: Any) -> CaptureOptions:
    """Return how to capture; ``others`` are the options that are no settings. Raises ``UsageError``."""
    if not LEAST_SNAPLEN <= chosen.snaplen <= MOST_SNAPLEN:
        raise UsageError(
            f"the setting snaplen must be from {LEAST_SNAPLEN} to {MOST_SNAPLEN} bytes, not {chosen.snaplen}."
        )
    return CaptureOptions(chosen.filter, chosen.snaplen, buffer_bytes(chosen.buffer_size), **others)


class SettingsAgain:
    """Hears SIGHUP while its context lasts, in the main thread; the settings are read by whoever asks."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._known = settings()

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGHUP, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGHUP, self._before)

    def new_filter(self) -> str | None:
        """Return the filter that the settings want, None if nobody asked for them since they were read last."""
        if not self._asked.is_set():
            return None
        self._asked.clear()
        try:
            found = read_again()
        except UsageError as error:
            _log.warning("The settings stay as they were: %s", error)
            return None
        changed = [one.name for one in fields(Settings) if getattr(found, one.name) != getattr(self._known, one.name)]
        later = [name for name in changed if name != _FILTER]
        _log.info("The settings were read again; the filter %s.", "changes" if _FILTER in changed else "stays")
        if later:
            _log.warning("Changed settings that need a new start of the sensor: %s.", ", ".join(later))
        # What needs a new start stays different from what is in use until then, and is told each time.
        self._known = replace(self._known, filter=found.filter)
        return found.filter

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        self._asked.set()
