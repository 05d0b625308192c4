"""Which packets came by behind others that were sent after them."""

from typing import Any

import numpy as np
import numpy.typing as npt

from segwatch.compilation import kernel


@kernel
def _mark_overtaken(flow: Any, sent: Any, order: Any, overtaken: Any) -> None:
    """Mark each row before which a row of its flow with a later place in ``sent`` came; ``order``: by flow, arrival."""
    latest = -1
    for place in range(len(order)):
        row = order[place]
        if place == 0 or flow[row] != flow[order[place - 1]]:
            latest = -1
        overtaken[row] = sent[row] < latest
        latest = max(latest, sent[row])


def overtaken(
    flow: npt.NDArray[np.int64], sent: npt.NDArray[np.int64], arrived: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Return which of N packets were reordered (RFC 4737 section 3): places where they were sent, and arrived."""
    found = np.zeros(len(flow), np.bool_)
    _mark_overtaken(flow, sent, np.lexsort((arrived, flow)), found)
    return found
