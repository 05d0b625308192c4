"""Checkpoint values that another version wrote."""

import pytest

import processors.stream.codec
from processors.stream.codec import CheckpointError, decode, encode


def test_a_value_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of before verdicts are."""
    with monkeypatch.context() as patch:
        patch.setattr(processors.stream.codec, "FORMAT", 1)
        older = encode({}, [])
    with pytest.raises(CheckpointError, match="written by another version of segwatch"):
        decode(older)
