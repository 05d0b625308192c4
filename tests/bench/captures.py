"""The captures of a benchmark run: made once, found again."""

import json
from pathlib import Path
from typing import NamedTuple

from tests.generate.__main__ import write_traffic

BULK_FLOWS = 400
SEED = 1


class Capture(NamedTuple):
    """A capture file and what it holds."""

    path: Path
    packets: int
    flows: int


class Captures:
    """Makes captures in ``folder``; ``packets`` and ``flows`` are the sizes of what the parts call full.

    ``history``: anomalies in the store of the part of that name, which is made in ``folder``, too.
    """

    def __init__(self, folder: Path, packets: int, flows: int, history: int = 0) -> None:
        self.folder = folder
        self.history = history
        self._packets = packets
        self._flows = flows
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def flows(self) -> int:
        """Conversations of the full flows capture."""
        return self._flows

    def sized(self, kind: str, numerator: int, denominator: int = 1) -> Capture:
        """Return the capture of ``kind`` that is ``numerator / denominator`` times the full one."""
        if kind == "bulk":
            return self._made("bulk", self._packets * numerator // denominator, BULK_FLOWS)
        return self._made("flows", 0, self._flows * numerator // denominator)

    def long_flow(self, packets: int) -> Capture:
        """Return a capture of a single conversation."""
        return self._made("bulk", packets, 1)

    def tiny(self) -> Capture:
        """Return a capture of about a hundred packets."""
        return self._made("flows", 0, 7)

    def _made(self, kind: str, packets: int, flows: int) -> Capture:
        name = f"{kind}-{packets or flows}" + ("-one-flow" if kind == "bulk" and flows == 1 else "")
        path = self.folder / f"{name}.pcap"
        facts = path.with_suffix(".json")
        wanted = {"kind": kind, "asked": packets, "flows": flows, "seed": SEED}
        if path.exists() and facts.exists():
            known = json.loads(facts.read_text("utf-8"))
            if {key: known.get(key) for key in wanted} == wanted:
                return Capture(path, known["packets"], flows)
        written = write_traffic(kind, path, packets, flows, SEED)
        facts.write_text(json.dumps({**wanted, "packets": written}), "utf-8")
        return Capture(path, written, flows)
