"""What a filter shows of itself where addresses are secret."""

import pytest

from ingest.anonymize.filters import without_addresses


@pytest.mark.parametrize(
    ("capture_filter", "shown"),
    [
        ("", ""),
        ("tcp and not port 22", "tcp and not port 22"),
        ("tcp portrange 80-90 or port https or vlan 7", "tcp portrange 80-90 or port https or vlan 7"),
        ("host 10.1.2.3", "host ?"),
        ("10.1.2.3", "?"),
        ("net 10 or src net 192.0.2.0/24", "net ? or src net ?"),
        ("net 10.0.0.0 mask 255.0.0.0", "net ? mask ?"),
        ("dst host 2001:db8::1 or ether host 00:11:22:33:44:55", "dst host ? or ether host ?"),
        ("host secret-name.example and port 80", "host ? and port 80"),
        ("ip[12:4] = 0x0a010203", "ip[?] = ?"),
        (
            "(tcp) and not (tcp and ((host 192.0.2.1 and port 9092) or (host 2001:db8::1 and port 9092)))",
            "(tcp) and not (tcp and ((host ? and port 9092) or (host ? and port 9092)))",
        ),
    ],
)
def test_addresses_are_hidden_and_the_rest_stays(capture_filter: str, shown: str) -> None:
    assert without_addresses(capture_filter) == shown
