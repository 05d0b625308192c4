"""``segwatch sensor --read`` on a real broker: what the decoder gives is what is in the log, whatever happens."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from ingest.anonymize.addresses import Anonymizer
from ingest.anonymize.key_file import make_key, read_key
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.broker.local import LocalBroker
from segwatch.records.segments import take_segments
from tests.pipeline.published import check_session, decoded, message_count, sessions, statuses
from tests.pipeline.sensors import PARTITIONS, PATIENCE_SECONDS, Start, finish, pace, wait_for_messages
from tests.support import CASES, REPOSITORY

PIPE_BYTES = 6 << 20
"""More than is read to recognise a capture."""
DEMO = REPOSITORY / "segwatch" / "data" / "demo.pcap.gz"


def test_the_log_holds_what_the_decoder_gives(start: Start, address: KafkaAddress) -> None:
    captures = [DEMO, CASES / "rto.pcap", CASES / "tunnels.pcap"]
    told = finish(start("--name", "edge-1", "--read", *map(str, captures)))
    assert [one["file"] for one in told] == [str(capture) for capture in captures]
    assert len({one["session"] for one in told}) == len(captures)
    found = sessions(address)
    for capture, one in zip(captures, told, strict=True):
        expected = decoded(capture)
        messages = found[str(one["session"])]
        check_session(messages, expected, PARTITIONS)
        headers = [header for made in messages.values() for header, _ in made]
        assert {header.sensor for header in headers} == {"edge-1"}
        assert {header.interface for header in headers} == {str(capture)}
        assert one["segments"] == len(expected.ts)
        assert one["messages"] == len(headers)
        assert one["complete"] is True


def test_addresses_are_replaced_before_they_are_divided(start: Start, address: KafkaAddress, tmp_path: Path) -> None:
    make_key(key := tmp_path / "key")
    (told,) = finish(start("--read", str(DEMO), "--anonymize", str(key)))
    segments = decoded(DEMO)
    expected = Anonymizer(read_key(key)).anonymized(segments)
    assert not np.array_equal(expected.src, segments.src)
    check_session(sessions(address)[str(told["session"])], expected, PARTITIONS)


def test_the_sensor_tells_of_itself(start: Start, address: KafkaAddress) -> None:
    (told,) = finish(start("--name", "edge-2", "--read", str(DEMO)))
    first, *_, last = statuses(address, str(told["session"]))
    assert (first.state, first.segments, first.sensor) == ("starting", 0, "edge-2")
    assert (last.state, last.problem) == ("stopping", "")
    assert last.frames == last.segments == last.published_segments == told["segments"]
    assert last.queued_batches == last.undecoded == last.dropped_segments == 0


def test_standard_input_is_read_and_what_is_cut_is_published(start: Start, address: KafkaAddress, bulk: Path) -> None:
    whole = bulk.read_bytes()
    (cut_path := bulk.with_name("cut.pcap")).write_bytes(whole[: len(whole) // 3])
    with cut_path.open("rb") as file:
        process = start("--read", "-", stdin=file.fileno())
        (told,) = finish(process, code=4)
    assert told["complete"] is False
    check_session(sessions(address)[str(told["session"])], decoded(cut_path), PARTITIONS)
    assert "cut short" in statuses(address, str(told["session"]))[-1].problem


def test_inputs_that_cannot_be_read_are_named(start: Start) -> None:
    process = start("--read", "no-such-file.pcap")
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, out) == (3, "")
    assert err.startswith("segwatch: ")
    assert "no-such-file.pcap" in err
    (told,) = finish(start("--read", "no-such-file.pcap", str(DEMO)), code=4)
    assert told["file"] == str(DEMO)


def test_a_broker_that_is_killed_loses_and_repeats_nothing(
    start: Start, own: LocalBroker, address: KafkaAddress, bulk: Path
) -> None:
    expected = decoded(bulk)
    seen = message_count(address)
    process = start("--read", str(bulk), "--speed", pace(expected, 8))
    for _ in range(2):
        seen += 2 * PARTITIONS
        wait_for_messages(address, seen)
        assert own.kill() is True
        assert own.start() == address
    (told,) = finish(process)
    check_session(sessions(address)[str(told["session"])], expected, PARTITIONS)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_sensor_that_is_stopped_publishes_what_it_read(
    start: Start, address: KafkaAddress, bulk: Path, number: signal.Signals
) -> None:
    expected = decoded(bulk)
    before = message_count(address)
    process = start("--read", str(bulk), "--speed", pace(expected, 100))
    wait_for_messages(address, before + PARTITIONS)
    process.send_signal(number)
    (told,) = finish(process)
    assert told["complete"] is False
    rows = int(str(told["segments"]))
    assert 0 < rows < len(expected.ts)
    check_session(sessions(address)[str(told["session"])], take_segments(expected, slice(0, rows)), PARTITIONS)


def test_a_silent_pipe_stops_no_end(start: Start, address: KafkaAddress, bulk: Path, tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    before = message_count(address)
    process = start("--read", str(pipe))
    with pipe.open("wb") as writing:
        writing.write(bulk.read_bytes()[:PIPE_BYTES])
        writing.flush()
        wait_for_messages(address, before)
        process.send_signal(signal.SIGTERM)
        (told,) = finish(process)
    assert told["complete"] is False


@pytest.mark.parametrize(
    ("spool", "words"),
    [(("--spool", "none"), "so the session is incomplete"), ((), "messages stay in the spool")],
)
def test_patience_has_an_end(
    start: Start, own: LocalBroker, address: KafkaAddress, bulk: Path, spool: tuple[str, ...], words: str
) -> None:
    before = message_count(address)
    process = start("--read", str(bulk), "--speed", pace(decoded(bulk), 8), "--patience", "2", *spool)
    wait_for_messages(address, before)
    own.kill()
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 6
    assert out == ""
    *before_it, last = err.splitlines()
    assert last.startswith(f"segwatch: Kafka at {address.bootstrap} has acknowledged nothing for ")
    assert words in last
    assert ["does not answer; segments go to the spool" in line for line in before_it] == [True] * (not spool)
