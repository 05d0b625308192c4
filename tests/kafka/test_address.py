"""Where Kafka is, as users write it."""

import pytest

from segwatch.errors import UsageError
from segwatch.kafka.address import parse_address


@pytest.mark.parametrize(
    ("text", "servers"),
    [
        ("kafka:9093", ("kafka:9093",)),
        ("kafka", ("kafka:9092",)),
        ("10.0.0.1:1, kafka-2.example.com:65535", ("10.0.0.1:1", "kafka-2.example.com:65535")),
        ("[2001:db8::1]:9092,[::1]", ("[2001:db8::1]:9092", "[::1]:9092")),
    ],
)
def test_addresses(text: str, servers: tuple[str, ...]) -> None:
    assert parse_address(text).servers == servers


@pytest.mark.parametrize("text", ["", "a:", "a:b", "a:0", "a:65536", "a:1,", "a b", "kafka://a:1", "2001:db8::1:9092"])
def test_what_is_no_address_gets_a_sentence(text: str) -> None:
    with pytest.raises(UsageError, match="the setting kafka must be"):
        parse_address(text)
