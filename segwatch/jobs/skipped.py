"""What was not analysed of a capture, in words."""

from collections.abc import Mapping
from typing import Final

MOST_REASONS: Final = 8
"""Hostile captures have hundreds."""


def skipped_words(skipped: Mapping[str, int]) -> str:
    """Return the commonest reasons for leaving out frames, each with its count, and how many others there are."""
    ordered = sorted(skipped.items(), key=lambda one: -one[1])
    words = [f"{reason} {count:,}" for reason, count in ordered[:MOST_REASONS]]
    if others := ordered[MOST_REASONS:]:
        frames = sum(count for _, count in others)
        words.append(f"{frames:,} more for {len(others)} other reason{'s' if len(others) > 1 else ''}")
    return ", ".join(words)
