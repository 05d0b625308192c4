"""``segwatch interfaces``: what can be captured, without any rights."""

import json
import socket

import pytest

from segwatch.cli.main import run


def test_all_interfaces_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["interfaces", "--json"]) == 0
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)["interfaces"]}
    assert set(found) >= {"any", "lo", *(name for _, name in socket.if_nameindex())}
    loopback = found["lo"]
    assert loopback["state"] in {"up", "down"}
    assert (loopback["link_type"], loopback["link_type_name"]) == (1, "Ethernet")
    if loopback["state"] == "up":
        assert "127.0.0.1" in loopback["addresses"]
    assert found["any"]["link_type"] == 276


def test_the_table_has_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["interfaces"]) == 0
    title, *lines = capsys.readouterr().out.splitlines()
    assert title.split() == ["interface", "state", "link", "type", "MTU", "addresses"]
    (loopback,) = (line for line in lines if line.startswith("lo "))
    assert "Ethernet" in loopback
