"""The filter that leaves out the sensor's own traffic."""

import logging
import socket

import pytest

from ingest.capture.live import own_traffic
from ingest.capture.live.own_traffic import RESOLVE_SECONDS, OwnTraffic, combined_filter

NAMES = {"kafka-1": ["192.0.2.1", "2001:db8::1"], "kafka-2": ["192.0.2.2"]}


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Give what names resolve to, which a test may change."""
    known = {name: list(addresses) for name, addresses in NAMES.items()}

    def getaddrinfo(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        if host not in known:
            raise socket.gaierror(-2, "Name or service not known")
        return [(0, 0, 0, "", (address, port)) for address in known[host]]

    monkeypatch.setattr(own_traffic.socket, "getaddrinfo", getaddrinfo)
    return known


def test_all_addresses_of_all_brokers_are_left_out(names: dict[str, list[str]]) -> None:
    clause = OwnTraffic().clause([("kafka-1", 9092), ("kafka-2", 9093), ("kafka-2", 9093)])
    assert clause == (
        "tcp and ((host 192.0.2.1 and port 9092) or (host 192.0.2.2 and port 9093) or (host 2001:db8::1 and port 9092))"
    )


def test_a_name_is_resolved_again_and_what_it_meant_is_kept_while_it_cannot_be(
    names: dict[str, list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    own = OwnTraffic(lambda: now)
    server = [("kafka-2", 9092)]
    assert own.clause(server) == "tcp and ((host 192.0.2.2 and port 9092))"
    names["kafka-2"] = ["192.0.2.3"]
    assert "192.0.2.2" in own.clause(server)
    now += RESOLVE_SECONDS
    assert own.clause(server) == "tcp and ((host 192.0.2.3 and port 9092))"
    del names["kafka-2"]
    now += RESOLVE_SECONDS
    with caplog.at_level(logging.WARNING):
        assert own.clause(server) == "tcp and ((host 192.0.2.3 and port 9092))"
    assert "kafka-2" in caplog.text


def test_who_is_not_known_leaves_out_nothing(names: dict[str, list[str]]) -> None:
    assert OwnTraffic().clause([("nobody", 9092)]) == ""


@pytest.mark.parametrize(
    ("wanted", "unwanted", "combined"),
    [
        ("", "", ""),
        ("tcp", "", "tcp"),
        ("", "port 1", "not (port 1)"),
        ("  ", "port 1", "not (port 1)"),
        ("tcp or udp", "port 1", "(tcp or udp) and not (port 1)"),
    ],
)
def test_filters_are_combined(wanted: str, unwanted: str, combined: str) -> None:
    assert combined_filter(wanted, unwanted) == combined
