"""The HTTP server: what it answers, and that nothing of it stays behind."""

import http.client
import socket
import threading
import time

import pytest

from segwatch.errors import KafkaUnavailableError, UsageError
from segwatch.processes.ports import free_ports
from segwatch.telemetry.address import MetricsAddress, parse_metrics_address
from segwatch.telemetry.health import Look
from segwatch.telemetry.reading import read_telemetry
from segwatch.telemetry.server import Telemetry

ANY_PORT = MetricsAddress("127.0.0.1", 0)
PATIENCE_SECONDS = 30


def get(address: MetricsAddress, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address.host, address.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def eventually_answers(address: MetricsAddress, path: str, status: int) -> str:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found, content = get(address, path)
        if found == status:
            return content
        time.sleep(0.05)
    raise AssertionError(f"{path} never answered {status}")


def test_metrics_and_health_are_served() -> None:
    with Telemetry(ANY_PORT, lambda: Look(0, 0)) as telemetry:
        status, content = get(telemetry.address, "/metrics")
        assert status == 200
        assert "\nsegwatch_waiting_messages 0.0\n" in content
        assert get(telemetry.address, "/health") == (200, "Nothing waits.\n")
        assert get(telemetry.address, "/favicon.ico")[0] == 404


def test_health_fails_when_work_waits_and_nothing_moves() -> None:
    with Telemetry(ANY_PORT, lambda: Look(10, 3), limit=0.0) as telemetry:
        content = eventually_answers(telemetry.address, "/health", 503)
        assert content.startswith("3 messages wait, and nothing has moved for ")
        reading = read_telemetry(telemetry.address, PATIENCE_SECONDS)
        assert reading is not None
        assert not reading.is_healthy
        assert reading.totals["segwatch_waiting_messages"] == 3


def test_a_look_that_fails_now_and_then_changes_nothing() -> None:
    looks = iter([Look(1, 1)])
    asked = threading.Event()

    def look() -> Look:
        try:
            return next(looks)
        except StopIteration:
            asked.set()
            raise KafkaUnavailableError("No Kafka broker answers.") from None

    with Telemetry(ANY_PORT, look) as telemetry:
        assert asked.wait(PATIENCE_SECONDS)
        assert get(telemetry.address, "/health") == (200, "1 messages wait, and work goes on.\n")


def test_nothing_stays_behind() -> None:
    before = set(threading.enumerate())
    with Telemetry(ANY_PORT, lambda: Look(0, 0)) as telemetry:
        address = telemetry.address
        get(address, "/metrics")
    assert set(threading.enumerate()) <= before
    assert read_telemetry(address, 1.0) is None


def test_a_client_that_says_nothing_does_not_hinder_others() -> None:
    with Telemetry(ANY_PORT, lambda: Look(0, 0)) as telemetry, socket.create_connection(telemetry.address):
        assert get(telemetry.address, "/health")[0] == 200


def test_a_taken_port_is_one_sentence() -> None:
    with (
        Telemetry(ANY_PORT, lambda: Look(0, 0)) as telemetry,
        pytest.raises(UsageError, match=rf"^metrics cannot be served at {telemetry.address} \(.*in use\); choose"),
    ):
        Telemetry(telemetry.address, lambda: Look(0, 0))


def test_who_does_not_listen_says_nothing() -> None:
    assert read_telemetry(MetricsAddress("127.0.0.1", *free_ports(1)), 1.0) is None


@pytest.mark.parametrize(
    ("text", "address", "shown"),
    [
        ("9400", ("127.0.0.1", 9400), "127.0.0.1:9400"),
        (":0", ("127.0.0.1", 0), "127.0.0.1:0"),
        ("0.0.0.0:80", ("0.0.0.0", 80), "0.0.0.0:80"),  # noqa: S104  # an example of what a user may choose
        ("[::1]:9400", ("::1", 9400), "[::1]:9400"),
        ("host.example:1", ("host.example", 1), "host.example:1"),
    ],
)
def test_addresses(text: str, address: tuple[str, int], shown: str) -> None:
    assert parse_metrics_address(text) == address
    assert str(parse_metrics_address(text)) == shown


@pytest.mark.parametrize("text", ["", "host", "host:", "1:65536", "a b:1", "1:-1", "1:²"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageError, match=r"^metrics are served at"):
        parse_metrics_address(text)


def test_a_port_alone_is_open_to_this_machine_only() -> None:
    with Telemetry(parse_metrics_address("0"), lambda: Look(0, 0)) as telemetry:
        assert telemetry.address.host == "127.0.0.1"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", telemetry.address.port), PATIENCE_SECONDS)
