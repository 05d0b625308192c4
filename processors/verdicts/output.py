"""Memory for the verdicts of one batch."""

import numpy as np

from processors.verdicts.state import MOST_WRITTEN
from segwatch.memory import grown
from segwatch.records.verdicts import VERDICT

_ROWS = 4 * MOST_WRITTEN


class Output:
    """What a batch gave; objects that judge in turn may share one."""

    def __init__(self) -> None:
        self.rows = np.zeros(_ROWS, VERDICT)
        self.sources = np.zeros(_ROWS, np.int32)
        """The segment that each of the rows comes from, by its row in the batch."""

    def enlarge(self) -> None:
        """Make room for more."""
        self.rows = grown(self.rows)
        self.sources = grown(self.sources, len(self.rows))
