"""What a live capture counts, for Prometheus."""

from typing import Final

from prometheus_client import Counter, Gauge

from ingest.capture.counts import CaptureCounts

FRAMES: Final = Counter("segwatch_capture_frames", "Frames captured", ["interface"])
KERNEL_DROPS: Final = Counter("segwatch_capture_kernel_drops", "Frames that the kernel dropped", ["interface"])
INTERFACE_DROPS: Final = Counter("segwatch_capture_interface_drops", "Frames that the interface dropped", ["interface"])
SHED: Final = Counter(
    "segwatch_capture_shed_segments", "Segments left out because more came than could be handled", ["interface"]
)
SEEN_TWICE: Final = Counter(
    "segwatch_capture_seen_twice", "Segments in frames that are copies of one seen just before", ["interface"]
)
ONE_WAY: Final = Counter(
    "segwatch_capture_one_way_conversations", "Conversations of which only one direction was seen", ["interface"]
)
KEEP_ONE_IN: Final = Gauge("segwatch_capture_keep_one_in", "One in so many conversations is kept", ["interface"])
_COUNTERS: Final = (
    (FRAMES, "frames"),
    (KERNEL_DROPS, "kernel_drops"),
    (INTERFACE_DROPS, "interface_drops"),
    (SHED, "shed_segments"),
    (SEEN_TWICE, "seen_twice"),
    (ONE_WAY, "one_way_conversations"),
)


def count(interface: str, before: CaptureCounts, after: CaptureCounts) -> None:
    """Count what came between two looks at the counts of a session."""
    for counter, name in _COUNTERS:
        counter.labels(interface).inc(getattr(after, name) - getattr(before, name))
    KEEP_ONE_IN.labels(interface).set(after.keep_one_in)
