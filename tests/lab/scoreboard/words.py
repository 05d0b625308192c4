"""What the page says beside its tables."""

from typing import Final

HEAD: Final = """# Accuracy of the verdicts

Made by `make accuracy`; do not edit. Real TCP through a middlebox, whose log and the kernel's own word are the truth:
[lab.md](lab.md) tells how, and what each cause means. The rules are in [verdicts.md](verdicts.md).

    make accuracy                           # measure the half that is for developing
    make accuracy ACCURACY=--held-back      # both halves: only when no rule will change any more
    make accuracy ACCURACY=--page           # measure nothing, make the page again of what was measured
"""
READING: Final = """## How to read it

- A **case** is a frame of a capture: a repeat, a probe, a copy, a frame out of order, or the first sign of what the
  capture lacks. It counts by the last revision of its verdict, and only if the very frame is named.
- **Precision**: of what was called so, the share that was so. **Recall**: of what was so, the share that was called so.
  **F1** is their harmonic mean. Shares are cut after three places, not rounded.
- **Cannot be seen**: the capture has no trace of it, whatever looks at it. `tests/lab/scoreboard/traces.py` decides so
  from the packets and the truth alone, without asking a verdict. Such cases are counted at the end of each part, and
  one column has F1 with them among the others.
- **No sign**: of a spurious repeat, no acknowledgment before it, no duplicate reported, no older timestamp echoed, no
  original behind it. Of a place, what was lost passed though its place was before the sensor, or did not though it was
  behind, and no IP identification is missing.
- **Not told**: `unknown`, or no verdict at all.
- **Confidence**: a verdict is right if its cause is, and what it tells of need and place. All verdicts count, also
  those on what cannot be seen.
- **tshark** is read as people read it: Retransmission for a timeout; Fast Retransmission as it says; Spurious
  Retransmission as spurious, without a cause; any of these on a SYN for a SYN again; Out-Of-Order for reordering;
  Keep-Alive and ZeroWindowProbe as they say; "Previous segment not captured" and "ACKed unseen segment" for a loss of
  the capture. It has no words for tail loss probes, later repeats of an episode, copies, and the place.
- **tcptrace** and **Tstat** count by connection. tcptrace: `rexmt data pkts`, SYN and FIN sent again, `zwnd probe
  pkts`, `outoforder pkts`, `hardware dups`. Tstat: retransmissions, timeouts and fast retransmits (with those that it
  calls unnecessary, which are its spurious ones), reordering, network duplicates, flow control for zero window probes;
  causes only of connections that it saw from beginning to end. An empty cell: it has no word for it.
"""
COUNTED: Final = """Totals beside the true ones; in brackets how far the counts are off for each direction of each
connection, added up, as a share of the truth (0 %: right everywhere). What cannot be seen is among the truth.
"""
"""Above the table of programs that count by connection."""
STACKS: Final = """F1 of each cause (cases), and how often need and place are right where they are told.
"""
"""Above the table of stacks."""
FRAMES: Final = "Share of frames whose cause is right (frames).\n"
"""Above the table of stacks and positions."""
WORDS_BY_POSITION: Final = "Share of need and place that is right where it is told (repeats).\n"
"""Above the table of need and place by position."""
