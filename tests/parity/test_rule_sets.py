"""Rule sets beside the one that all other tests use."""

import subprocess
import sys

import pytest

from tests.support import CASES


def _labels(case: str, rules: str) -> dict[int, str]:
    """Return the labels of the frames of a case, by number."""
    command = [sys.executable, "-m", "segwatch", "labels", "--rules", rules, str(CASES / f"{case}.pcap")]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    names = lines[0].split("\t")
    rows = [dict(zip(names, line.split("\t"), strict=True)) for line in lines[1:]]
    return {int(row["frame"]): row["labels"] for row in rows}


def test_late_data_is_out_of_order_for_2_2_and_spurious_for_4_0() -> None:
    old, new = (_labels("seed-article", rules) for rules in ("wireshark-2.2", "wireshark-4.0"))
    differing = {frame: (old[frame], new[frame]) for frame in new if old[frame] != new[frame]}
    assert differing == dict.fromkeys((10, 37), ("out_of_order", "spurious_retransmission"))


@pytest.mark.parametrize("case", ["keep-alive", "zero-window-linux-probe", "fast-retransmission"])
def test_both_agree_on_all_else(case: str) -> None:
    assert _labels(case, "wireshark-2.2") == _labels(case, "wireshark-4.0")
