"""What decides the findings of a stream: the same for all processors of a cluster."""

from typing import NamedTuple

from processors.engine import Timeouts
from processors.rules.rule_sets import DEFAULT_RULES
from segwatch.settings import settings

_SECOND = 1_000_000_000


class StreamSettings(NamedTuple):
    """How the messages of segments are analysed."""

    partitions: int
    """Partitions of the topic of segments."""
    shards: int = 8
    """Parts of a partition's state that are written separately."""
    rules: str = DEFAULT_RULES
    timeouts: Timeouts = Timeouts(idle=3600 * _SECOND, closed=240 * _SECOND)
    """``closed`` is twice the maximum segment lifetime of RFC 9293 section 3.4.2."""
    most_conversations: int = 500_000
    """Conversations that a partition remembers at most; shards have equal parts of it."""
    session_timeout: int = 3600
    """Seconds after which a capture session is over that sends nothing, not even heartbeats, while others do."""
    future_tolerance: int = 300
    """Seconds by which a live sensor's clock may be ahead of the broker's."""


def configured_timeouts() -> Timeouts:
    """Return the timeouts that the settings say."""
    return Timeouts(idle=settings().idle_timeout * _SECOND, closed=settings().closed_timeout * _SECOND)
