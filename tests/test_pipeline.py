"""Captures through the pipeline."""

from importlib import resources

import pytest

from segwatch.jobs import decoding
from segwatch.jobs.pipeline import CapturePipeline
from segwatch.records.findings import FindingColumns


def test_findings_stay_valid_while_they_are_referred_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may still write the rows of a batch when the next ones are analysed."""
    monkeypatch.setattr(decoding, "BATCH_FRAMES", 500)
    capture = str(resources.files("segwatch") / "data" / "demo.pcap.gz")
    kept, copies = [], []
    with CapturePipeline(capture, "wireshark-4.0") as batches:
        for batch in batches:
            kept.append(batch.findings)
            copies.append(FindingColumns(*(column.copy() for column in batch.findings)))
    assert len(kept) > 5
    for findings, copied in zip(kept, copies, strict=True):
        assert all((column == same).all() for column, same in zip(findings, copied, strict=True))
