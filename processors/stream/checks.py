"""What is asked of a message of segments beside that it can be read: its place and its times."""

from typing import Final

import numpy as np
import numpy.typing as npt

from processors.stream.settings import StreamSettings
from segwatch.messages.errors import MessageError, Reason
from segwatch.messages.partitioning import partitions_of
from segwatch.messages.segments import SegmentsHeader
from segwatch.records.segments import SegmentColumns

_NANOSECONDS_A_MILLISECOND: Final = 1_000_000
_NANOSECONDS: Final = 1_000_000_000


def check_message(
    partition: int,
    settings: StreamSettings,
    header: SegmentsHeader,
    segments: SegmentColumns,
    hashes: npt.NDArray[np.uint64],
    timestamp: int,
) -> None:
    """Refuse a message that does not belong into ``partition``, or that is from the future. Raises ``MessageError``.

    ``hashes`` are those of the conversations, ``timestamp`` is Kafka's, in milliseconds.
    """
    partitions = settings.partitions
    if header.partitions != partitions or header.partition != partition:
        stated, own = f"{header.partition} of {header.partitions}", f"{partition} of {partitions}"
        raise MessageError(Reason.OTHER_PARTITION, f"it is for partition {stated}, and stands in {own}")
    strangers = int(np.count_nonzero(partitions_of(hashes, partitions) != partition))
    if strangers:
        raise MessageError(Reason.OTHER_PARTITION, f"{strangers} of {len(hashes)} rows")
    latest = timestamp * _NANOSECONDS_A_MILLISECOND + settings.future_tolerance * _NANOSECONDS
    if header.live and max(header.watermark, int(segments.ts.max(initial=0))) > latest:
        raise MessageError(
            Reason.FROM_THE_FUTURE, f"more than {settings.future_tolerance} seconds; set the sensor's clock"
        )
