"""The SQL functions that migrations make."""

from typing import Any

import pytest
from clickhouse_driver.errors import ServerException

from segwatch.vocabulary import EVENT_NAMES, LABEL_NAMES, Completeness, Flag, Label, Quality
from sinks.migration_files import migrations
from sinks.store import Store


def _value(store: Store, expression: str) -> Any:
    return store.client.execute(f"SELECT {expression}")[0][0]


def test_names_of_bits_are_those_of_the_vocabulary(store: Store) -> None:
    assert tuple(_value(store, f"segwatch_label_names({(1 << len(LABEL_NAMES)) - 1})")) == LABEL_NAMES
    assert tuple(_value(store, f"segwatch_event_names({(1 << len(EVENT_NAMES)) - 1})")) == EVENT_NAMES
    for function, words in (("quality", Quality), ("completeness", Completeness)):
        names = [str(one.name).lower() for one in words]
        assert _value(store, f"segwatch_{function}_names(toUInt32({(1 << len(names)) - 1}))") == names
    assert _value(store, f"segwatch_quality_names(toUInt32({3 << 24}))") == []


@pytest.mark.parametrize("label", Label)
def test_a_label_is_found(store: Store, label: Label) -> None:
    name = str(label.name).lower()
    assert _value(store, f"segwatch_has_label(toUInt32({int(label)}), '{name}')") == 1
    assert _value(store, f"segwatch_has_label(toUInt32({~int(label) & 0x7FFF}), '{name}')") == 0


def test_a_label_that_is_none_is_an_error(store: Store) -> None:
    with pytest.raises(ServerException, match="There is no such label"):
        _value(store, "segwatch_has_label(materialize(toUInt32(1)), 'zero_windows')")


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (Flag(0), "<None>"),
        (Flag.SYN, "SYN"),
        (Flag.SYN | Flag.ACK, "SYN, ACK"),
        (Flag.FIN | Flag.PSH | Flag.ACK, "FIN, PSH, ACK"),
        (Flag.RST, "RST"),
        (Flag.SYN | Flag.ECE | Flag.CWR | Flag.AE | Flag.URG, "SYN, URG, ECE, CWR, AE"),
    ],
)
def test_flags_are_written_as_in_wireshark(store: Store, flags: Flag, text: str) -> None:
    assert _value(store, f"segwatch_tcp_flags(toUInt16({int(flags)}))") == text


@pytest.mark.parametrize(
    ("number", "text", "subnet"),
    [
        ("::ffff:10.20.3.7", "10.20.3.7", "10.20.3.0/24"),
        ("::ffff:0.0.0.1", "0.0.0.1", "0.0.0.0/24"),
        ("::ffff:255.255.255.255", "255.255.255.255", "255.255.255.0/24"),
        ("2001:db8::ffff:1", "2001:db8::ffff:1", "2001:db8::/64"),
        ("::1", "::1", "::/64"),
        ("::1:ffff:10.20.3.7", "::1:ffff:a14:307", "::/64"),
        ("::fffe:1.2.3.4", "::fffe:102:304", "::/64"),
    ],
)
def test_addresses_and_their_networks_are_text(store: Store, number: str, text: str, subnet: str) -> None:
    assert _value(store, f"segwatch_address(toIPv6('{number}'))") == text
    assert _value(store, f"segwatch_subnet(toIPv6('{number}'))") == subnet


@pytest.mark.parametrize("given", ["'10.20.3.7'", "toIPv4('10.20.3.7')", "'::ffff:10.20.3.7'"])
def test_addresses_that_are_no_numbers_of_ipv6_are_understood(store: Store, given: str) -> None:
    assert _value(store, f"segwatch_address({given})") == "10.20.3.7"
    assert _value(store, f"segwatch_subnet({given})") == "10.20.3.0/24"


def test_a_share_of_nothing_is_0(store: Store) -> None:
    assert _value(store, "segwatch_percent(1, 8)") == 12.5
    assert _value(store, "segwatch_percent(materialize(0), materialize(0))") == 0


def test_a_conversation_is_found_by_its_ends(store: Store) -> None:
    store.client.execute(
        "INSERT INTO segments (stored, time, src, sport, dst, dport) "
        "VALUES ('2026-11-23', '2026-11-23 10:00:00', '::ffff:10.0.0.1', 40000, '::ffff:10.0.0.2', 443)"
    )
    for ends in ("'10.0.0.1', 40000, '10.0.0.2', 443", "'10.0.0.2', 443, '10.0.0.1', 40000"):
        assert store.client.execute(
            f"SELECT count() FROM segments WHERE conversation = segwatch_conversation({ends})"
        ) == [(1,)]


def test_views_stand_without_the_functions() -> None:
    """Functions are no part of a backup of the database."""
    statements = [one for migration in migrations() for one in migration.statements]
    assert [one for one in statements if "segwatch_" in one and " FUNCTION " not in one.split("(")[0]] == []
