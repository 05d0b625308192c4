"""Anonymous addresses: the published vectors, prefixes, and what is remembered."""

import ipaddress

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.anonymize import addresses as module
from ingest.anonymize.addresses import Anonymizer
from ingest.anonymize.crypto_pan import CryptoPan
from segwatch.messages.partitioning import conversation_hashes
from tests.messages.rows import valid_segments

KEY = bytes.fromhex("1522178d33a4cf80130a5b1649907d10d8988f837979652762574c2d2a842202")
"""The key of the sample that comes with the authors' implementation."""
SAMPLE = {
    "128.11.68.132": "135.242.180.132",
    "129.118.74.4": "134.136.186.123",
    "130.132.252.244": "133.68.164.234",
    "141.223.7.43": "141.167.8.160",
    "141.233.145.108": "141.129.237.235",
    "152.163.225.39": "151.140.114.167",
    "156.29.3.236": "147.225.12.42",
    "165.247.96.84": "162.9.99.234",
    "166.107.77.190": "160.132.178.185",
    "192.102.249.13": "252.138.62.131",
    "192.215.32.125": "252.43.47.189",
    "192.233.80.103": "252.25.108.8",
    "192.41.57.43": "252.222.221.184",
    "193.150.244.223": "253.169.52.216",
    "205.188.147.153": "242.96.16.101",
    "205.188.248.25": "242.96.88.27",
    "24.0.250.221": "100.15.198.226",
    "24.13.62.231": "100.2.192.247",
    "4.3.88.225": "124.60.155.63",
    "64.39.15.238": "0.219.7.41",
    "10.185.25.118": "117.161.29.118",
}
"""Addresses of that sample, before and after."""
SAMPLE_IPV6 = {
    "::1": "78ff:f001:9fc0:20df:8380:b1f1:704:ed",
    "::2": "78ff:f001:9fc0:20df:8380:b1f1:704:ef",
    "::ffff": "78ff:f001:9fc0:20df:8380:b1f1:704:f838",
    "2001:db8::1": "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e",
    "2001:db8::2": "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1c",
}
"""What other implementations make of IPv6 with the same key."""
ADDRESS = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))


def packed(texts: list[str]) -> npt.NDArray[np.uint64]:
    """Return addresses as segments have them."""
    found = [ipaddress.ip_address(text) for text in texts]
    wire = [bytes(10) + b"\xff\xff" + one.packed if one.version == 4 else one.packed for one in found]
    return np.frombuffer(b"".join(wire), np.uint64).reshape(-1, 2)


def texts(addresses: npt.NDArray[np.uint64]) -> list[str]:
    """Return addresses in the usual notation."""
    found = [ipaddress.IPv6Address(row.tobytes()) for row in addresses]
    return [str(one.ipv4_mapped or one) for one in found]


def common_bits(one: str, other: str) -> int:
    """Return how many bits of two addresses of one version are equal before the first that is not."""
    first, second = ipaddress.ip_address(one), ipaddress.ip_address(other)
    return first.max_prefixlen - (int(first) ^ int(second)).bit_length()


@pytest.mark.parametrize("sample", [SAMPLE, SAMPLE_IPV6])
def test_the_published_vectors(sample: dict[str, str]) -> None:
    assert texts(CryptoPan(KEY).anonymized(packed(list(sample)))) == list(sample.values())


@given(st.lists(ADDRESS, min_size=2, max_size=20))
def test_prefixes_are_kept_and_nothing_more(found: list[ipaddress.IPv4Address | ipaddress.IPv6Address]) -> None:
    before = [str(one) for one in found if not (one.version == 6 and one.ipv4_mapped)]
    after = texts(CryptoPan(KEY).anonymized(packed(before))) if before else []
    for one, made in zip(before, after, strict=True):
        for other, other_made in zip(before, after, strict=True):
            if (":" in one) == (":" in other):
                assert common_bits(one, other) == common_bits(made, other_made)


def test_flows_stay_together_and_all_else_stays_as_it_is() -> None:
    segments = valid_segments(5000)
    one, other = Anonymizer(KEY).anonymized(segments), Anonymizer(KEY).anonymized(segments)
    assert np.array_equal(one.src, other.src)
    assert np.array_equal(one.src, CryptoPan(KEY).anonymized(segments.src))
    assert np.array_equal(one.dst, CryptoPan(KEY).anonymized(segments.dst))
    for name in set(segments._fields) - {"src", "dst"}:
        assert getattr(one, name) is getattr(segments, name)
    _, before = np.unique(conversation_hashes(segments), return_inverse=True)
    _, after = np.unique(conversation_hashes(one), return_inverse=True)
    assert len(set(zip(before.tolist(), after.tolist(), strict=True))) == before.max() + 1 == after.max() + 1


def test_what_is_remembered_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 1000)
    monkeypatch.setattr(module, "_MOST", 2500)
    rng = np.random.default_rng(1)
    addresses = rng.integers(0, 1 << 63, (10_000, 2)).astype(np.uint64)
    addresses[::3] = addresses[0]
    anonymizer = Anonymizer(KEY)
    assert np.array_equal(anonymizer.addresses(addresses), CryptoPan(KEY).anonymized(addresses))
    assert anonymizer._used <= 2500
    assert np.count_nonzero(anonymizer._is_used) == anonymizer._used


def test_other_keys_give_other_addresses() -> None:
    sample = packed(list(SAMPLE))
    assert not np.array_equal(CryptoPan(KEY).anonymized(sample), CryptoPan(KEY[::-1]).anonymized(sample))
    with pytest.raises(ValueError, match="32 bytes"):
        CryptoPan(KEY[:16])


def test_nothing_is_nothing() -> None:
    assert Anonymizer(KEY).addresses(packed([])).shape == (0, 2)
