"""Sensors that share a name: who takes turns, and who was merely started again."""

import pytest

from segwatch.messages.identities import hosts_of_others, shared_names
from segwatch.messages.status import SensorStatus


def status(text: str, name: str = "edge") -> SensorStatus:
    """Return a status of ``host/interface/session``."""
    host, interface, session = text.split("/")
    return SensorStatus(
        name, session, 0, host, interface, "", 0, "", "running", "", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    )  # fmt: skip


@pytest.mark.parametrize(
    ("heard", "hosts"),
    [
        ("", []),
        ("a/eth0/1 a/eth0/1", []),
        ("a/eth0/1 a/eth1/2 a/eth0/1 a/eth1/2", []),
        ("a/eth0/1 a/eth0/2 a/eth0/3", []),
        ("a/eth0/1 a/eth0/2 a/eth0/1", ["a"]),
        ("a/eth0/1 b/eth0/2", []),
        ("a/eth0/1 b/eth1/2 a/eth0/1", ["a", "b"]),
        ("a/eth0/1 a/eth0/2 b/eth0/3 a/eth0/2 c/eth0/4", ["a", "b"]),
    ],
)
def test_who_shares_a_name(heard: str, hosts: list[str]) -> None:
    statuses = [status(text) for text in heard.split()]
    assert shared_names(statuses) == ({"edge": hosts} if hosts else {})


def test_names_are_looked_at_one_by_one() -> None:
    heard = [status("a/eth0/1"), status("b/eth0/2", "core"), status("a/eth0/1"), status("b/eth0/2", "core")]
    assert shared_names(heard) == {}


def test_others_are_all_that_are_not_of_this_process() -> None:
    heard = [status("a/eth0/1"), status("b/eth0/2"), status("c/eth0/3", "core")]
    assert hosts_of_others(heard, "edge", {"1"}) == ["b"]
    assert hosts_of_others(heard, "edge", {"1", "2"}) == []
