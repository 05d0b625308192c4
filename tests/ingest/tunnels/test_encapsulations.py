"""Every encapsulation by a hand-made frame, and tshark's word on the same frames."""

import shutil
import struct
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from ingest.decode.decoder import Decoder
from ingest.tunnels.decoder import TunnelDecoder
from segwatch.vocabulary import Quality, Tunnel
from tests.ingest.decode.support import Frame, columns_of
from tests.ingest.tunnels.cases import CASES, Case
from tests.ingest.tunnels.frames import CLIENT4, CLIENT6, SERVER4, SERVER6
from tests.ingest.tunnels.support import address, decode

MAPPED = b"\0" * 10 + b"\xff\xff"


def test_names_are_distinct():
    """A failing case can be found by its name."""
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case):
    """The row says where the segment is, what carried it and what it holds."""
    decoder = TunnelDecoder()
    rows = decode(case.frame, case.linktype, case.wirelen, decoder)
    if case.tunnel is None:
        assert len(rows.ts) == 0
        assert sum(decoder.skipped.values()) == 1
        return
    assert len(rows.ts) == 1, decoder.skipped
    assert not decoder.skipped
    is_ipv6 = bool(rows.quality[0] & Quality.IPV6)
    assert address(rows.src) == (CLIENT6 if is_ipv6 else MAPPED + CLIENT4)
    assert address(rows.dst) == (SERVER6 if is_ipv6 else MAPPED + SERVER4)
    assert (rows.sport[0], rows.dport[0], rows.seq[0], rows.ack[0]) == (40000, 80, 1000, 77)
    assert (rows.flags[0], rows.window[0]) == (0x18, 8192)
    assert rows.payload_len[0] == (0 if case.tunnel == Tunnel.SFLOW else 5)
    assert (rows.ts[0], rows.frame[0]) == (1_000, 1)
    assert (rows.ip_id[0], rows.ttl[0]) == ((0, 63) if is_ipv6 else (7, 64))
    assert Tunnel(rows.tunnel_kind[0]) is case.tunnel
    assert (rows.tunnel_id[0], rows.vlan[0]) == (case.identifier, case.vlan)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_fast_path_leaves_a_case_to_the_slow_path_or_decodes_it(case: Case):
    """A frame gives the same rows where the fast path sees it first."""
    frame = Frame(case.frame, case.wirelen or len(case.frame), case.linktype)
    rows = Decoder().decode(columns_of([frame]))
    assert rows.seq.tolist() == ([] if case.tunnel is None else [1000])


def _capture(path: Path, linktype: int, cases: list[Case]) -> None:
    """Write a capture file of these frames."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, linktype))
        for number, case in enumerate(cases):
            file.write(struct.pack("<IIII", number, 0, len(case.frame), case.wirelen or len(case.frame)) + case.frame)


def test_tshark_agrees(tmp_path: Path):
    """Tshark finds TCP in the same frames, with the same length of payload."""
    if shutil.which("tshark") is None:
        pytest.skip("no tshark here to compare with")
    by_linktype: dict[int, list[Case]] = defaultdict(list)
    for case in CASES:
        by_linktype[case.linktype].append(case)
    differences = []
    for linktype, cases in by_linktype.items():
        path = tmp_path / f"{linktype}.pcap"
        _capture(path, linktype, cases)
        command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=f"]
        for field in ("tcp.seq_raw", "tcp.len", "frame.protocols"):
            command += ["-e", field]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
        for case, line in zip(cases, lines, strict=True):
            sequence, length, protocols = line.split("\t")
            sampled = case.tunnel == Tunnel.SFLOW
            expected = ("", "") if case.tunnel is None else ("1000", "" if sampled else "5")
            if (sequence, length) != expected:
                differences.append(f"{case.name}: tshark {sequence} {length} {protocols}")
    assert not differences, "\n".join(differences)
