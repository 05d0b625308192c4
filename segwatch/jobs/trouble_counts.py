"""Which labels count as which trouble, for whoever sums up interval records."""

from typing import Any, Final

from segwatch.compilation import kernel
from segwatch.vocabulary import Label


def label_place(label: Label) -> int:
    """Return the place of a label in the ``labels`` of an interval record."""
    return label.bit_length() - 1


LOST_SEGMENT: Final = label_place(Label.LOST_SEGMENT)
OUT_OF_ORDER: Final = label_place(Label.OUT_OF_ORDER)
DUPLICATE_ACK: Final = label_place(Label.DUPLICATE_ACK)
ZERO_WINDOW: Final = label_place(Label.ZERO_WINDOW)
_PLAIN: Final = label_place(Label.RETRANSMISSION)
_FAST: Final = label_place(Label.FAST_RETRANSMISSION)
_SPURIOUS: Final = label_place(Label.SPURIOUS_RETRANSMISSION)


@kernel
def retransmissions(labels: Any) -> int:
    """Return the segments with any of the three labels of a retransmission; a segment has one of them at most."""
    return int(labels[_PLAIN]) + int(labels[_FAST]) + int(labels[_SPURIOUS])
