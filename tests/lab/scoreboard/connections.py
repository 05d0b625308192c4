"""What programs say that count by connection: tcptrace and Tstat, in the kinds of event that they tell apart."""

import csv
import gzip
import io
import os
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from tests.lab.endpoint import PORT

KINDS: Final = {
    "repeats": frozenset({"rto", "fast_retransmit", "recovery", "tail_loss_probe", "syn_retry"}),
    "spurious repeats": frozenset[str](),
    "rto": frozenset({"rto"}),
    "fast_retransmit, recovery": frozenset({"fast_retransmit", "recovery"}),
    "tail_loss_probe": frozenset({"tail_loss_probe"}),
    "syn_retry": frozenset({"syn_retry"}),
    "zero_window_probe": frozenset({"zero_window_probe"}),
    "keep_alive": frozenset({"keep_alive"}),
    "reordering": frozenset({"reordering"}),
    "duplicates": frozenset({"network_duplicate", "capture_duplicate"}),
}
"""Kinds of events that are counted, and the causes of each; which repeats are spurious is told by need."""
SPURIOUS: Final = "spurious repeats"
_TCPTRACE_KINDS: Final = frozenset({"repeats", "syn_retry", "zero_window_probe", "reordering", "duplicates"})
_TSTAT_KINDS: Final = frozenset(KINDS) - {"tail_loss_probe", "keep_alive"}
_SECONDS: Final = 120

Counts = Counter[tuple[tuple[int, bool], str]]
"""Events by direction (client's port, by client) and kind."""


class Program(NamedTuple):
    """A program that counts by connection."""

    name: str
    path: str
    version: str
    kinds: frozenset[str]
    """What it tells."""
    ask: Callable[[str, Path, Path], Counts]
    """From its path, a capture and an empty folder to its counts."""

    def of(self, capture: Path) -> Counts:
        """Return its counts for a capture that is compressed."""
        with tempfile.TemporaryDirectory() as folder:
            plain = Path(folder) / "capture.pcap"
            plain.write_bytes(gzip.decompress(capture.read_bytes()))
            output = Path(folder) / "output"
            output.mkdir()
            return self.ask(self.path, plain, output)


def find() -> list[Program]:
    """Return those that are installed; the variable TSTAT names Tstat's program."""
    wanted = (
        ("tcptrace", "tcptrace", "-version", _TCPTRACE_KINDS, _ask_tcptrace),
        ("Tstat", os.environ.get("TSTAT", "tstat"), "-v", _TSTAT_KINDS, _ask_tstat),
    )
    found = []
    for name, program, option, kinds, ask in wanted:
        path = shutil.which(program)
        if path is not None:
            done = subprocess.run([path, option], capture_output=True, text=True, check=False, timeout=_SECONDS)
            version = re.search(r"\d+\.\d+(\.\d+)*", done.stdout + done.stderr)
            found.append(Program(name, path, version.group() if version else "unknown", kinds, ask))
    return found


def _ask_tcptrace(program: str, capture: Path, _: Path) -> Counts:
    done = subprocess.run(
        [program, "-n", "-l", "-r", "--csv", str(capture)], capture_output=True, text=True, check=True, timeout=_SECONDS
    )
    return tcptrace_counts(done.stdout)


def tcptrace_counts(text: str) -> Counts:
    """Return the counts of tcptrace's long report as CSV."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    counts: Counts = Counter()
    for row in csv.DictReader(io.StringIO("\n".join(lines)), skipinitialspace=True):
        by_client = int(row["port_b"]) == PORT
        port = int(row["port_a"] if by_client else row["port_b"])
        for way, is_client in (("a2b", by_client), ("b2a", not by_client)):
            syns, fins = (max(int(number) - 1, 0) for number in row[f"SYN/FIN_pkts_sent_{way}"].split("/"))
            flow = port, is_client
            counts[flow, "syn_retry"] += syns
            counts[flow, "repeats"] += int(row[f"rexmt_data_pkts_{way}"]) + syns + fins
            counts[flow, "zero_window_probe"] += int(row[f"zwnd_probe_pkts_{way}"])
            counts[flow, "reordering"] += int(row[f"outoforder_pkts_{way}"])
            counts[flow, "duplicates"] += int(row[f"hardware_dups_{way}"])
    return counts


def _ask_tstat(program: str, capture: Path, output: Path) -> Counts:
    subprocess.run([program, "-s", str(output), str(capture)], capture_output=True, check=True, timeout=_SECONDS)
    counts: Counts = Counter()
    for name in ("log_tcp_complete", "log_tcp_nocomplete"):
        for log in output.rglob(name):
            counts += tstat_counts(log.read_text(encoding="utf-8", errors="replace"))
    return counts


def tstat_counts(text: str) -> Counts:
    """Return the counts of one of Tstat's logs of connections; that of incomplete ones has no causes."""
    head, *lines = text.splitlines()
    names = [re.sub(r"^#\d+#", "", name).split(":")[0] for name in head.split()]
    counts: Counts = Counter()
    for line in lines:
        row = dict(zip(names, line.split(), strict=False))
        by_client = int(row["s_port"]) == PORT
        port = int(row["c_port"] if by_client else row["s_port"])
        for side, is_client in (("c", by_client), ("s", not by_client)):
            for kind, number in _tstat_kinds(row, side).items():
                counts[(port, is_client), kind] += number
    return counts


def _tstat_kinds(row: Mapping[str, str], side: str) -> dict[str, int]:
    def count(name: str) -> int:
        return int(row.get(f"{side}_{name}", 0))

    syns = max(count("syn_cnt") - 1, 0)
    return {
        "repeats": count("pkts_retx") + syns,
        SPURIOUS: count("pkts_unrto") + count("pkts_unfs"),
        "rto": count("pkts_rto") + count("pkts_unrto"),
        "fast_retransmit, recovery": count("pkts_fs") + count("pkts_unfs"),
        "syn_retry": syns,
        "zero_window_probe": count("pkts_fc"),
        "reordering": count("pkts_reor"),
        "duplicates": count("pkts_dup"),
    }
