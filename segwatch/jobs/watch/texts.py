"""Numbers and addresses in few characters."""

from typing import Any, Final

from segwatch.endpoints import address_text, endpoint_text

_THOUSANDS: Final = ("", "k", "M", "G", "T", "P")


def short(number: float) -> str:
    """Return a number in five characters at most: ``0``, ``12.5``, ``9999``, ``12.3k``, ``4.5M``."""
    if number < 10_000:
        whole = number >= 99.95 or number == int(number)
        return f"{number:.0f}" if whole else f"{number:.2g}" if number < 10 else f"{number:.1f}"
    unit = 0
    while number >= 999.5 and unit < len(_THOUSANDS) - 1:
        number /= 1000
        unit += 1
    return f"{number:.0f}{_THOUSANDS[unit]}" if number >= 99.95 else f"{number:.3g}{_THOUSANDS[unit]}"


def percent(share: float) -> str:
    """Return a share (0 to 1) in per cent, in four characters at most; nothing for 0."""
    value = 100 * share
    if value <= 0:
        return ""
    return f"{value:.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 0.05 else "<0.1"


def count(number: int) -> str:
    """Return a number of events; nothing for 0."""
    return short(number) if number else ""


def seconds(nanoseconds: int) -> str:
    """Return a time in seconds; nothing for 0."""
    return _of_unit(nanoseconds / 1e9)


def milliseconds(nanoseconds: float) -> str:
    """Return a time in milliseconds; nothing where none is known."""
    return _of_unit(nanoseconds / 1e6)


def _of_unit(value: float) -> str:
    if value <= 0:
        return ""
    if value < 0.01:
        return "<.01"
    return short(round(value)) if value >= 99.95 else f"{value:.3g}" if value >= 0.1 else f"{value:.2f}"


def rate_text(per_second: float, unit: str) -> str:
    """Return a rate with its unit, as in ``12.3 Mbit/s``."""
    text = short(per_second)
    number = text.rstrip("".join(_THOUSANDS))
    return f"{number} {text[len(number) :]}{unit}/s"


def end_text(words: Any, ip_version: int, port: int) -> str:
    """Return an address and a port as text."""
    return endpoint_text(address_text(words, ip_version), port)


def clock_text(span: float) -> str:
    """Return a span of time (seconds) as hours, minutes and seconds."""
    minutes, rest = divmod(int(span), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
