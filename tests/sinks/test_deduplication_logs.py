"""Lists of inserted blocks that a full disk has torn, or that a kill has left with a part that is not there."""

from pathlib import Path

import pytest

from sinks.connection import new_client
from sinks.deduplication_logs import mend_deduplication_logs
from sinks.local_server import LocalServer
from tests.sinks.killing import kill

FIRST, SECOND, THIRD = (f"1\tall_{n}_{n}_0\tall_{n}23_45{n}\n" for n in (1, 2, 3))
DROPPED = "2\tall_1_1_0\tall_123_451\n"


def _list(data: Path, content: str, parts: tuple[str, ...] = ("all_1_3_1",)) -> Path:
    table = data / "store" / "54f" / "54f2054c-af3a-4ded-aeed-1432bfdf5b18"
    for name in ("deduplication_logs", "detached", "tmp_insert_all_9_9_0", *parts):
        (table / name).mkdir(parents=True)
    (table / "format_version.txt").write_text("1", "utf-8")
    file = table / "deduplication_logs" / "deduplication_log_1.txt"
    file.write_text(content, "utf-8")
    return file


def test_whole_lists_stay_as_they_are(tmp_path: Path) -> None:
    file = _list(tmp_path, FIRST + SECOND + DROPPED)
    written = file.stat().st_mtime_ns
    assert mend_deduplication_logs(tmp_path) == 0
    assert file.stat().st_mtime_ns == written
    assert file.read_text("utf-8") == FIRST + SECOND + DROPPED


@pytest.mark.parametrize("kept", range(1, len(SECOND)))
def test_of_a_torn_line_the_one_that_follows_it_stays(tmp_path: Path, kept: int) -> None:
    file = _list(tmp_path, FIRST + SECOND[:kept] + THIRD)
    assert mend_deduplication_logs(tmp_path) == 1
    assert file.read_text("utf-8") == FIRST + THIRD


@pytest.mark.parametrize("kept", range(1, len(SECOND)))
def test_a_torn_end_goes(tmp_path: Path, kept: int) -> None:
    file = _list(tmp_path, FIRST + SECOND[:kept])
    assert mend_deduplication_logs(tmp_path) == 1
    assert file.read_text("utf-8") == FIRST


@pytest.mark.parametrize(
    ("parts", "left"),
    [
        (("all_1_1_0", "all_2_2_0", "all_3_3_0"), FIRST + SECOND + DROPPED + THIRD),
        (("all_1_3_1_4",), FIRST + SECOND + DROPPED + THIRD),
        (("all_1_2_1",), FIRST + SECOND + DROPPED),
        (("all_1_1_0", "all_3_3_0"), FIRST + SECOND + DROPPED + THIRD),
        (("20261127_1_3_1",), DROPPED),
        ((), DROPPED),
    ],
)
def test_a_block_after_all_parts_goes(tmp_path: Path, parts: tuple[str, ...], left: str) -> None:
    file = _list(tmp_path, FIRST + SECOND + DROPPED + THIRD, parts)
    mend_deduplication_logs(tmp_path)
    assert file.read_text("utf-8") == left


def _insert(folder: Path, numbers: range) -> int:
    """Insert each number as a block of its own, unless it was inserted before; return how many rows there are."""
    client = new_client(LocalServer(folder).wait_ready(), database="")
    try:
        client.execute(
            "CREATE TABLE IF NOT EXISTS numbers (number UInt8) ORDER BY number "
            "SETTINGS non_replicated_deduplication_window = 100"
        )
        for number in numbers:
            client.execute(f"INSERT INTO numbers SETTINGS insert_deduplication_token = '{number}' SELECT {number}")
        return int(client.execute("SELECT count() FROM numbers")[0][0])
    finally:
        client.disconnect()


def test_what_was_inserted_after_a_torn_line_is_known_again(tmp_path: Path) -> None:
    try:
        assert _insert(tmp_path, range(2)) == 2
        kill(tmp_path)
        (file,) = tmp_path.rglob("deduplication_log_1.txt")
        with file.open("a", encoding="utf-8") as torn:
            torn.write("1\tall_9_9_0\tall_9")
        assert _insert(tmp_path, range(2, 4)) == 4
        kill(tmp_path)
        assert _insert(tmp_path, range(4)) == 4
    finally:
        LocalServer(tmp_path).stop()


def test_an_insert_that_was_killed_before_its_part_had_its_name_is_taken_again(tmp_path: Path) -> None:
    try:
        assert _insert(tmp_path, range(3)) == 3
        kill(tmp_path)
        (part,) = tmp_path.rglob("all_3_3_0")
        part.rename(part.with_name("tmp_insert_all_3_3_0"))
        assert _insert(tmp_path, range(1)) == 2, "the part is gone"
        assert _insert(tmp_path, range(3)) == 3
    finally:
        LocalServer(tmp_path).stop()
