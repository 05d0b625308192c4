"""What the scoreboard takes from captures and from other programs."""

from tests.lab.scoreboard.connections import tcptrace_counts, tstat_counts
from tests.lab.scoreboard.labels import readings
from tests.lab.scoreboard.packets import Packet, read
from tests.lab.scoreboard.traces import Trace, traces
from tests.lab.store import STORED
from tests.lab.truth import Row

_MILLISECOND = 1_000_000
_TSTAT_HEAD = (
    "#15#c_ip:1 c_port:2 s_port:16 c_pkts_retx:10 s_pkts_retx:24 c_syn_cnt:13 s_syn_cnt:27 c_pkts_rto:79 c_pkts_fs:80 "
    "c_pkts_reor:81 c_pkts_dup:82 c_pkts_fc:84 c_pkts_unrto:85 c_pkts_unfs:86"
)


def _packet(
    time: int, seq: int, span: int, ip_id: int, *, by_client: bool = True, ack: int = 1, **more: object
) -> Packet:
    fields = {"is_syn": False, "has_ack": True, "stamps": None, "sacks": ()} | more
    return Packet(
        time=time * _MILLISECOND, port=40_000, by_client=by_client, seq=seq, span=span, ack=ack, ip_id=ip_id,
        **fields,  # type: ignore[arg-type]
    )  # fmt: skip


def _row(cause: str, needed: str, place: str, seen: int) -> Row:
    return Row("middle", 0, cause, needed, place, 1, f"ca=loss sent=1 seen={seen}")


def _last(packets: list[Packet], row: Row) -> Trace:
    return traces(packets, {len(packets): row})[len(packets)]


def test_a_repeat_that_looks_like_new_data_cannot_be_seen() -> None:
    lost_before = _row("rto", "needed", "before_sensor", 0)
    first = _packet(0, 1, 100, 7)
    assert _last([first, _packet(300, 101, 100, 8)], lost_before).hidden == "looks_new"
    assert _last([first, _packet(300, 101, 100, 0)], lost_before).hidden == "looks_new"
    assert _last([first, _packet(300, 101, 100, 9)], lost_before).hidden == ""
    assert _last([first, _packet(1, 201, 100, 9), _packet(300, 101, 100, 10)], lost_before).hidden == ""
    acked = _packet(2, 1, 0, 0, by_client=False, ack=201)
    assert _last([first, acked, _packet(300, 101, 100, 8)], lost_before).hidden == ""
    assert _last([first, _packet(300, 1, 100, 8)], _row("rto", "needed", "after_sensor", 1)).hidden == ""


def test_identifications_that_repeats_account_for_are_not_missing() -> None:
    packets = [_packet(0, 1, 100, 7), _packet(300, 101, 100, 9), _packet(301, 201, 100, 10)]
    rows = {frame: _row("recovery", "needed", "before_sensor", 0) for frame in (2, 3)}
    found = traces(packets, rows)
    assert [found[2].hidden, found[3].hidden] == ["", "looks_new"]


def test_handshakes_that_look_like_the_first_cannot_be_seen() -> None:
    row = _row("syn_retry", "needed", "before_sensor", 0)
    syn = _packet(0, 0, 1, 3, is_syn=True, has_ack=False, stamps=(50, 0))
    again = _packet(1000, 0, 1, 4, is_syn=True, has_ack=False, stamps=(1050, 0))
    assert _last([syn], row).hidden == "first_syn"
    answer = {"by_client": False, "is_syn": True}
    assert _last([syn, _packet(20, 0, 1, 0, **answer)], row).hidden == "syn_ack_in_time"
    assert _last([syn, _packet(1020, 0, 1, 0, **answer)], row).hidden == ""
    assert _last([syn, again, _packet(1020, 0, 1, 0, **answer)], row).hidden == "syn_ack_in_time"
    echoes_first = _packet(1020, 0, 1, 0, stamps=(9, 50), **answer)
    assert _last([syn, again, echoes_first], row).hidden == ""


def test_a_probe_and_a_timeout_that_nothing_tells_apart_cannot_be_seen() -> None:
    row = _row("rto", "needed", "after_sensor", 1)
    opened = [
        _packet(0, 0, 1, 0, is_syn=True, has_ack=False, permits_sacks=True),
        _packet(10, 0, 1, 0, is_syn=True, by_client=False, permits_sacks=True),
        _packet(20, 1, 0, 0),
    ]
    sent, again = _packet(20, 1, 100, 7), _packet(240, 1, 100, 8)
    answer = _packet(260, 1, 0, 0, by_client=False, ack=101)

    def hidden(*packets: Packet, opening: list[Packet] = opened, **rows: Row) -> str:
        all_packets = [*opening, *packets]
        more = {int(frame[1:]): other for frame, other in rows.items()}
        at = all_packets.index(again) + 1
        return traces(all_packets, {at: row} | more)[at].hidden

    assert hidden(sent, again, answer) == "either_timer"
    assert hidden(sent, again, answer, _packet(300, 101, 100, 9)) == "either_timer"
    plain = [opened[0]._replace(permits_sacks=False), *opened[1:]]
    assert hidden(sent, again, answer, opening=plain) == ""  # no probes without selective acknowledgments
    assert hidden(sent, _packet(20, 101, 100, 8), again, answer) == ""  # more was in flight
    assert hidden(_packet(200, 1, 100, 7), again, answer) == ""  # too soon for a timeout
    late = again._replace(time=again.time + 60 * _MILLISECOND)
    assert traces([*opened, sent, late], {5: row})[5].hidden == ""  # too late for a probe
    soon = again._replace(time=again.time + 40 * _MILLISECOND)
    assert traces([*opened, sent, soon], {5: row})[5].hidden == "either_timer"  # with the way of an answer, and back
    stamped = [sent._replace(stamps=(30, 1)), late._replace(stamps=(290, 1))]
    assert traces([*opened, *stamped], {5: row})[5].hidden == "either_timer"  # sent sooner
    assert hidden(sent, again, _packet(470, 1, 100, 9)) == ""  # the time to the next repeat
    two = [_packet(300, 101, 100, 9), _packet(300, 201, 100, 10)]
    assert hidden(sent, again, answer, *two) == ""  # more than a timeout allows
    assert hidden(sent, again, _packet(241, 101, 100, 9)) == ""  # beside it
    other = _packet(600, 201, 100, 12)
    rest = [answer, _packet(300, 101, 100, 9), _packet(320, 1, 0, 0, by_client=False, ack=201), other]
    told = Row("middle", 0, "rto", "needed", "after_sensor", 2, "ca=loss sent=2 seen=1")
    assert hidden(sent, again, *rest) == "either_timer"
    assert hidden(sent, again, *rest, f9=told) == ""  # another timer of this sender
    reported = answer._replace(time=325 * _MILLISECOND, ack=201, sacks=((401, 501),))
    rest.insert(-1, reported)
    assert hidden(sent, again, *rest, f10=told) == "either_timer"  # after a report of losses there is no probe


def test_signs_of_a_spurious_repeat() -> None:
    row = _row("rto", "spurious", "unknown", 1)
    sent, again = _packet(0, 1, 100, 7, stamps=(10, 1)), _packet(300, 1, 100, 8, stamps=(310, 1))

    def shows(*packets: Packet) -> bool:
        at = packets.index(again) + 1
        return traces(packets, {at: row})[at].shows_need

    def answer(time: int, echo: int = 310, sacks: tuple[tuple[int, int], ...] = ()) -> Packet:
        return _packet(time, 1, 0, 0, by_client=False, ack=101, stamps=(1, echo), sacks=sacks)

    assert not shows(sent, again, answer(320))
    assert shows(sent, answer(299), again)
    assert shows(sent, again, answer(320, echo=10))
    assert shows(sent, again, answer(320), answer(321, sacks=((1, 101),)))
    assert not shows(sent, again, answer(320), answer(321, sacks=((201, 301),)))


def test_signs_of_a_place() -> None:
    first = _packet(0, 1, 100, 7)
    again = _packet(300, 1, 100, 8)
    assert _last([first, again], _row("rto", "needed", "after_sensor", 1)).shows_place
    assert not _last([first, again], _row("rto", "needed", "before_sensor", 1)).shows_place
    assert _last([first, again._replace(ip_id=9)], _row("rto", "needed", "before_sensor", 1)).shows_place


def test_packets_of_a_stored_capture() -> None:
    packets = read(STORED / "losses-default-1" / "middle.pcap.gz")
    syn, answer = packets[:2]
    assert (syn.is_syn, syn.has_ack, syn.by_client, syn.span) == (True, False, True, 1)
    assert (answer.is_syn, answer.has_ack, answer.by_client, answer.port) == (True, True, False, syn.port)
    assert syn.stamps
    assert answer.stamps
    assert answer.stamps[1] == syn.stamps[0]
    assert any(packet.sacks for packet in packets)
    assert [packet.time for packet in packets] == sorted(packet.time for packet in packets)


def test_labels_are_read_as_people_read_them() -> None:
    #        zwp ka  spur fast retr ooo ackl lost
    lines = (
        "1\t0\t\t\t\t\t\t\t\t",
        "2\t0\t\t\t\t\t1\t\t\t",
        "3\t1\t\t\t\t\t1\t\t\t",
        "4\t0\t\t\t\t1\t1\t\t\t",
        "5\t0\t\t\t1\t\t1\t\t\t",
        "6\t0\t\t\t\t\t\t1\t\t",
        "7\tTrue\t\t\t\t\t\t1\t\t",
        "8\t0\t\t\t\t\t\t\t\t1",
    )
    assert readings("\n".join(lines)) == {
        2: ("rto", "needed"),
        3: ("syn_retry", "needed"),
        4: ("fast_retransmit", "needed"),
        5: ("unknown", "spurious"),
        6: ("reordering", "unknown"),
        7: ("reordering", "unknown"),
        8: ("capture_loss", "unknown"),
    }


def test_counts_of_tstat() -> None:
    counts = tstat_counts(f"{_TSTAT_HEAD}\n10.0.0.1 40000 5001 6 1 3 1 2 3 4 5 6 1 0\n")
    client, server = (40_000, True), (40_000, False)
    assert +counts == {
        (client, "repeats"): 8,
        (client, "syn_retry"): 2,
        (client, "rto"): 3,
        (client, "fast_retransmit, recovery"): 3,
        (client, "spurious repeats"): 1,
        (client, "reordering"): 4,
        (client, "duplicates"): 5,
        (client, "zero_window_probe"): 6,
        (server, "repeats"): 1,
    }


def test_counts_of_tcptrace() -> None:
    names = ("SYN/FIN_pkts_sent", "rexmt_data_pkts", "zwnd_probe_pkts", "outoforder_pkts", "hardware_dups")
    head = ",".join(("conn_#", "port_a", "port_b", *(f"{name}_{way}" for name in names for way in ("a2b", "b2a"))))
    # The SYN-ACK came first: the server is its host a.
    text = f"#a remark\n{head}\n\n1, 5001, 40000, 1/1, 3/2, 0, 5, 0, 6, 0, 7, 0, 8\n"
    client = (40_000, True)
    assert +tcptrace_counts(text) == {
        (client, "syn_retry"): 2,
        (client, "repeats"): 8,
        (client, "zero_window_probe"): 6,
        (client, "reordering"): 7,
        (client, "duplicates"): 8,
    }
