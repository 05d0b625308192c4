"""The summary: what it counts, and what it says, from made-up intervals."""

import ipaddress
import itertools
from typing import Any

import numpy as np
import pytest

from segwatch.jobs.content import Content
from segwatch.jobs.grouping import group_rows
from segwatch.jobs.reasons import reasons
from segwatch.jobs.render import print_summary
from segwatch.jobs.summary import Summary
from segwatch.records.intervals import INTERVAL
from segwatch.report.words import statements
from segwatch.vocabulary import LABEL_NAMES, Completeness, Label, Reset

SECOND = 1_000_000_000
CONTENT = Content("made-up.pcap", "pcap", (1,), 1000, 0, 90 * SECOND, 5000, {"not_tcp": 7, "arp": 0}, None, "00")


def words(address: str) -> np.ndarray[Any, Any]:
    """Return an address as the two words of a column."""
    packed = ipaddress.ip_address(address).packed
    return np.frombuffer(packed if len(packed) == 16 else bytes(10) + b"\xff\xff" + packed, np.uint64)


def interval(stream: int, client: str = "10.0.0.1", server: str = "10.0.0.2", **fields: Any) -> Any:
    """Return one record; ``sent`` is a pair of dictionaries of counters, labels by name in them."""
    record = np.zeros(1, INTERVAL)
    record["stream"], record["client"], record["server"] = stream, words(client), words(server)
    record["ip_version"] = ipaddress.ip_address(client).version
    record["client_port"], record["server_port"] = 40000 + stream, 443
    record["last"] = 10 * SECOND
    record["completeness"] = 15
    for side, counters in enumerate(fields.pop("sent", ({}, {}))):
        for name, value in counters.items():
            if name in LABEL_NAMES:
                record["sent"]["labels"][0, side, LABEL_NAMES.index(name)] = value
            else:
                record["sent"][name][0, side] = value
    for name, value in fields.items():
        record[name] = value
    return record


def summary_of(*records: Any) -> dict[str, Any]:
    """Return the summary of these records, given one by one."""
    summary = Summary()
    for record in records:
        summary.add_intervals(record, 1 + max(int(r["stream"][0]) for r in records))
    return summary.finished(CONTENT)


def test_requests_without_an_answer_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """What a network has that drops requests: repeats without payload, which no share of bytes shows."""
    found = summary_of(
        interval(0, sent=({"segments": 4, "retransmission": 3}, {}), completeness=Completeness.SYN),
        interval(1, completeness=Completeness.SYN | Completeness.SYN_ACK),
    )
    assert found["unanswered"] == 1
    print_summary(found)
    assert "1 conversation without an answer to the SYN" in capsys.readouterr().out
    texts = {one.state: one.text for one in statements(found | {"segments": 4})}
    assert "1 conversation got no answer" in texts["bad"]
    assert "good" not in texts


def test_counters_add_up_over_intervals_and_sides() -> None:
    """Labels, bytes, zero-window time and round trips of all intervals of all conversations."""
    first = {"segments": 10, "payload_bytes": 1000, "retransmission": 2, "retransmitted_bytes": 100}
    second = {
        "zero_window_time": 2 * SECOND,
        "zero_window": 3,
        "rtt_count": 2,
        "rtt_sum": 6,
        "rtt_min": 1,
        "rtt_max": 5,
    }
    third = {"retransmission": 1, "rtt_count": 2, "rtt_sum": 20, "rtt_min": 9, "rtt_max": 11}
    found = summary_of(interval(0, sent=(first, second)), interval(0, sent=({}, third)), interval(1, sent=(first, {})))
    assert found["labels"] == {"retransmission": 5, "zero_window": 3}
    assert (found["payload_bytes"], found["retransmitted_bytes"]) == (2000, 200)
    assert found["zero_window"] == {"conversations": 1, "client_seconds": 0.0, "server_seconds": 2.0}
    assert found["rtt"]["client_side"] is None
    assert found["rtt"]["server_side"] == {
        "samples": 4, "min_seconds": 1e-9, "average_seconds": 6e-9, "max_seconds": 11e-9,
    }  # fmt: skip
    assert (found["conversations"], found["hosts"]) == (2, 2)
    assert found["skipped"] == {"not_tcp": 7}


def test_initial_round_trips_are_of_conversations() -> None:
    """Each conversation counts once, unknown ones not at all."""
    records = [interval(stream, initial_rtt=stream * 1_000_000) for stream in range(101)]
    found = summary_of(*records, interval(50, initial_rtt=50_000_000))["rtt"]["initial"]
    assert found == {
        "conversations": 100, "min_seconds": 0.001, "p50_seconds": 0.05, "p90_seconds": 0.09, "p99_seconds": 0.099,
        "max_seconds": 0.1,
    }  # fmt: skip


def test_growing_keeps_what_was_counted() -> None:
    """Many conversations, one after the other."""
    summary = Summary()
    for stream in range(1000):
        summary.add_intervals(interval(stream, sent=({"segments": stream},) * 2), stream + 1)
    assert summary.totals.conversations["segments"].tolist() == [[stream, stream] for stream in range(1000)]


def test_hosts_and_pairs_need_a_sample_and_a_rate() -> None:
    """Few segments, or few bytes again, are not listed."""
    much = {"data_segments": 60, "payload_bytes": 6000, "retransmitted_bytes": 300, "fast_retransmission": 3}
    clean = {"data_segments": 500, "payload_bytes": 100_000, "retransmitted_bytes": 10}
    found = summary_of(
        interval(0, "10.0.0.1", "10.0.0.9", sent=(much, clean)),
        interval(1, "10.0.0.1", "10.0.0.9", sent=(much, clean)),
        interval(2, "10.0.0.3", "10.0.0.8", sent=(much, {})),
        interval(3, "2001:db8::1", "2001:db8::2", sent=({}, {**much, "data_segments": 100})),
    )
    assert [(row["host"], row["retransmissions"]) for row in found["retransmitting_hosts"]] == [
        ("10.0.0.1", 6), ("2001:db8::2", 3),
    ]  # fmt: skip
    (pair,) = found["retransmitting_pairs"]
    assert (pair["client"], pair["server"], pair["server_port"]) == ("2001:db8::1", "2001:db8::2", 443)
    assert pair["retransmitted_share"] == 0.05


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (interval(0), []),
        (
            interval(0, sent=({"payload_bytes": 1000, "retransmitted_bytes": 31}, {"zero_window_time": 1_200_000_000})),
            ["3.1 % of bytes retransmitted by the client", "1.2 s zero window at the server"],
        ),
        (interval(0, reset=Reset.ABORTED_BY_CLIENT), ["reset by the client"]),
        (interval(0, completeness=Completeness.SYN, sent=({"retransmission": 2}, {})),
         ["2 retransmitted by the client", "no answer to the SYN"]),
        (interval(0, sent=({"lost_segment": 1, "out_of_order": 4}, {"zero_window": 2})),
         ["zero window 2 times", "1 gap in what was captured", "4 out of order"]),
    ],
)  # fmt: skip
def test_reasons_are_words(record: Any, expected: list[str]) -> None:
    """Each thing that is wrong is a phrase; nothing wrong, no phrase."""
    summary = Summary()
    summary.add_intervals(record, 1)
    total = summary.totals.conversations[0]
    assert reasons(total, summary.totals.troubles[total["trouble"]]) == expected


def test_the_worst_come_first_and_the_good_not_at_all() -> None:
    """More trouble, higher place."""

    def lossy(stream: int, again: int) -> Any:
        counters = {"data_segments": 100, "payload_bytes": 1000, "retransmitted_bytes": again}
        return interval(stream, sent=(counters, {}))

    found = summary_of(*(lossy(stream, again) for stream, again in enumerate([0, 50, 900, 10])))
    assert [row["client_port"] - 40000 for row in found["worst_conversations"]] == [2, 1, 3]
    assert len(summary_of(*(lossy(stream, 500) for stream in range(30)))["worst_conversations"]) == 10


def test_every_reset_and_label_has_words() -> None:
    """No class of reset is without a phrase, and rare values do not stop the report."""
    for reset in list(Reset)[1:]:
        (worst,) = summary_of(
            interval(0, reset=reset, sent=({"segments": 2, "data_segments": 1, "lost_segment": 1},) * 2)
        )["worst_conversations"]
        assert len(worst["why"]) == 2
    assert Label(1).name


def test_times_beyond_the_calendar_are_numbers() -> None:
    """A capture may claim any time."""
    summary = Summary()
    found = summary.finished(CONTENT._replace(first=-(2**63), last=2**63 - 1))
    assert found["first"] == "1677-09-21T00:12:43.145224192Z"
    assert found["last"].startswith("2262-04-11T")


def test_an_empty_capture_has_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing in it, nothing to say, no division by it."""
    found = Summary().finished(CONTENT._replace(frames=0, skipped={}))
    print_summary(found)
    assert "0 frames, 0 TCP segments, 0 conversations, 0 hosts" in capsys.readouterr().out


def test_hostile_names_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters of a file's name are not printed."""
    print_summary(Summary().finished(CONTENT._replace(name="a\x1b[31m\nb", damage="\x07")))
    assert not set("\x1b\x07") & set(capsys.readouterr().out)


def test_groups_are_those_of_equal_rows() -> None:
    """Against a dictionary, with many equal rows and with none."""
    generator = np.random.default_rng(5)
    for count, words_, most in itertools.product((1, 2, 7, 1000), (1, 3), (2, 30, 2**60)):
        keys = generator.integers(0, most, (count, words_)).astype(np.uint64)
        groups, first = group_rows(keys)
        expected = {key: place for place, key in enumerate(dict.fromkeys(map(tuple, keys.tolist())))}
        assert [expected[key] for key in map(tuple, keys.tolist())] == groups.tolist()
        assert [tuple(keys[row].tolist()) for row in first] == list(expected)
