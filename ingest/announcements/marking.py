"""The marks of all protocols, set while a batch is decoded."""

from ingest.announcements.ftp import DataConnections
from ingest.announcements.rfb import VersionMessages
from ingest.announcements.socks import ProxiedConnections
from segwatch.records.frames import FrameColumns
from segwatch.records.segments import SegmentColumns


class Announcements:
    """Reads what applications say in one capture session, and marks the segments that it matters for."""

    def __init__(self) -> None:
        self._protocols = (DataConnections(), ProxiedConnections(), VersionMessages())

    def mark(self, frames: FrameColumns, segments: SegmentColumns) -> None:
        """Set ``ANNOUNCED``, ``PROXIED`` and ``RESTARTED`` in ``segments``, which were decoded from ``frames``.

        Both are in capture order. Where batches end makes no difference.
        """
        for protocol in self._protocols:
            protocol.mark(frames, segments)
