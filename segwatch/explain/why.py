"""Why segments are there that are not new data in its order: a sentence for each group of verdicts that agree."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from segwatch.explain.groups import MOST_GROUPS
from segwatch.explain.ledger import CLIENT, SERVER, Ledger
from segwatch.explain.sentences import Number, Sentence, moment_text, span_text, the
from segwatch.explain.verdict_words import reason
from segwatch.vocabulary import CAUSE_NAMES, Cause

_KIND: Final = ["cause", "needed", "place", "from_client"]
_FRAMES: Final = ("frame", "original_frame", "amended_by")
TOPIC: Final = "why_"
"""Before the name of a cause: labels have names like these, too."""


def why(ledger: Ledger) -> Iterator[Sentence]:
    """Yield a sentence for each group of verdicts; together they speak of every one."""
    if ledger.verdicts is None:
        return
    for verdicts in _groups(ledger.verdicts):
        yield _sentence(ledger, verdicts)


def _groups(verdicts: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    """Return neighbours that agree; where that makes too many groups, all that agree."""
    kinds = verdicts[_KIND]
    cuts = np.flatnonzero(kinds[1:] != kinds[:-1]) + 1
    if len(cuts) < MOST_GROUPS:
        return [part for part in np.split(verdicts, cuts) if len(part)]
    _, first, places = np.unique(kinds, return_index=True, return_inverse=True)
    return [verdicts[places == place] for place in np.argsort(first)]


def _sentence(ledger: Ledger, verdicts: npt.NDArray[Any]) -> Sentence:
    one, count = verdicts[0], len(verdicts)
    cause = CAUSE_NAMES[one["cause"]]
    side = CLIENT if one["from_client"] else SERVER
    first, last = (int(time) - ledger.begun for time in verdicts["time"][[0, -1]])
    when = " to ".join(dict.fromkeys((moment_text(first), moment_text(last))))
    sure, stalled = float(verdicts["confidence"].min()), int(verdicts["stalled"].sum())
    text = f"{when}: frame {one['frame']} of {the(side)}: {reason(one)}"
    if one["cause"] == Cause.CAPTURE_LOSS:
        text = f"{when}: frame {one['frame']} shows that of {the(side)} {reason(one)}"
    if count > 1:
        text += f"; and {count - 1:,} more like it"
        text += f", {span_text(stalled)} in all" if stalled else ""
    text += f" ({100 * sure:.0f} % sure{' or more' if count > 1 else ''})."
    numbers: dict[str, Number] = {"segments": count, "first": first, "last": last, "confidence": round(sure, 3)}
    numbers |= {"stalled": stalled, "bytes_again": int(verdicts["bytes_again"].sum())}
    frames = np.unique(np.concatenate([verdicts[name] for name in _FRAMES]))
    return Sentence(TOPIC + cause, text, tuple(frames[frames > 0].tolist()), first, numbers)
