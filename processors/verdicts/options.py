"""What the two ends agreed on, as far as the capture shows."""

from typing import Any

from processors.verdicts.state import SACK_PERMITTED, SACK_SENT, SYN_SEEN
from segwatch.compilation import kernel


@kernel
def may_acknowledge_selectively(side: Any) -> bool:
    """Whether a side permits selective acknowledgments (RFC 2018): it does where its SYN was not captured."""
    return bool(side.marks & (SACK_PERMITTED | SACK_SENT)) or not side.marks & SYN_SEEN
