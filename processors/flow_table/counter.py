"""Places in the array of counters that is part of the state."""

from typing import Final

STREAMS: Final = 0
"""Number of the next stream."""
UNACKED_FREE: Final = 1
"""First free node of ``unacked``, or ``NOTHING``."""
UNACKED_USED: Final = 2
"""Nodes of ``unacked`` that were ever used; those beyond are free as well."""
INTERVALS_USED: Final = 3
"""Records of ``intervals`` that were ever used; those beyond are free as well."""
INTERVALS_FREE: Final = 4
"""First free record of ``intervals`` (chained by ``stream``), or ``NOTHING``."""
MINUTE: Final = 5
"""Start of the minute that the last sweep of intervals kept."""
ROWS_SINCE_SWEEP: Final = 6
CLOSED: Final = 7
"""Interval records written to the output of this call."""
IDLE_TIMEOUT: Final = 8
"""Nanoseconds of silence after which a conversation is over; 0: never."""
CLOSED_TIMEOUT: Final = 9
"""Nanoseconds of silence after which a conversation that has ended is over; 0: never."""
COUNT: Final = 10
