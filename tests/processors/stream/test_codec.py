"""Checkpoint values that Kafka would not take, or that another version wrote."""

import numpy as np
import pytest

import processors.stream.codec
from processors.stream.codec import MOST_VALUE_BYTES, CheckpointError, decode, encode


def test_a_value_that_kafka_would_not_take_is_told() -> None:
    noise = np.random.default_rng(1).integers(0, 2**63, MOST_VALUE_BYTES // 8, np.int64)
    most = {"counters": noise[:-100]}
    assert np.array_equal(decode(encode({}, [most]))[1][0]["counters"], noise[:-100])
    with pytest.raises(CheckpointError, match="more partitions"):
        encode({}, [{"counters": noise}])


def test_a_value_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of before verdicts are."""
    with monkeypatch.context() as patch:
        patch.setattr(processors.stream.codec, "FORMAT", 1)
        older = encode({}, [])
    with pytest.raises(CheckpointError, match="written by another version of segwatch"):
        decode(older)
