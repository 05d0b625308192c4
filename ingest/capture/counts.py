"""What is counted while frames are captured."""

from typing import NamedTuple


class CaptureCounts(NamedTuple):
    """Counters of a capture session since its beginning."""

    frames: int = 0
    undecoded: int = 0
    """Frames that could not be decoded."""
    kernel_drops: int = 0
    interface_drops: int = 0
    shed_segments: int = 0
    """Segments of conversations that were left out because more came than could be handled."""
    keep_one_in: int = 1
    """One in so many conversations is kept now."""
    super_segments: int = 0
    clock_steps: int = 0
    seen_twice: int = 0
    """Segments in frames that are copies of one seen just before."""
    one_way_conversations: int = 0
    """Conversations of which only one direction was seen for a while, each time that it was noticed."""
