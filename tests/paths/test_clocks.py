"""How far clocks are apart, from the times of packets alone."""

import numpy as np
import numpy.typing as npt
import pytest

from processors.paths.clocks import estimate_clock
from processors.paths.pairs import Pair


def _pair(times: npt.NDArray[np.float64], delays: npt.NDArray[np.float64], drift: float) -> Pair:
    """Return what two sensors saw of packets that pass the first one at ``times``, seconds, in turns each way."""
    first = (times * 1e9).astype(np.int64)
    on_way = (delays * 1e9).astype(np.int64) * np.where(np.arange(len(times)) % 2, -1, 1)
    second = first + on_way + np.rint(drift * first).astype(np.int64)
    return Pair(first, second, np.arange(len(times)))


@pytest.mark.parametrize(("seconds", "drift"), [(45, 2e-4), (45, -3e-4), (120, 6e-4), (10, 5e-5)])
def test_clocks_that_drift(seconds: float, drift: float) -> None:
    times = np.linspace(0, seconds, 1000)
    pair = _pair(times, np.full(1000, 0.002), drift)
    clock = estimate_clock(pair, np.arange(1000) % 2 == 0)
    assert clock.drift == pytest.approx(drift, rel=0.02)


@pytest.mark.parametrize("packets", [4, 40])
def test_packets_that_waited_are_no_drift_that_is_not_doubted(packets: int) -> None:
    """Only the first packet each way was fast; what is said of the clock is right within what is said to be unsure."""
    times = np.linspace(0, 20, packets)
    delays = np.full(packets, 0.002)
    delays[:2] = 0.0001
    pair = _pair(times, delays, 0.0)
    clock = estimate_clock(pair, np.arange(packets) % 2 == 0)
    ends = np.array([pair.second.min(), pair.second.max()])
    off = clock.offset + clock.drift * (ends - clock.middle)
    assert np.abs(off).max() <= clock.uncertainty + 1
