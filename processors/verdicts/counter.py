"""Places in the array of counters that is part of the state of the verdicts."""

from typing import Final

PIECES_USED: Final = 0
"""Records of ``pieces`` that were ever used; those beyond are free as well."""
NOTES_USED: Final = 1
"""Records of ``notes`` (and ``rows``) that were ever used."""
NOTES_FREE: Final = 2
"""First free note, or ``NOTHING``."""
TROUBLES_USED: Final = 3
TROUBLES_FREE: Final = 4
"""First free record of ``troubles`` (chained by ``next``), or ``NOTHING``."""
WRITTEN: Final = 5
"""Verdicts written to the output of this call."""
USES: Final = 6
"""How often memory or output was taken: while it stays the same, so does the room that is left."""
BLOCKS_FREE: Final = 7
"""First of the places for free blocks of ``pieces``, one for each size; a block's first piece chains them."""
SIZES: Final = 11
"""Sizes of blocks: 4 to 4096 pieces."""
COUNT: Final = BLOCKS_FREE + SIZES
