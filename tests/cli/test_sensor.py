"""``segwatch sensor``: what is wrong with a command line, in a sentence."""

from pathlib import Path

import pytest

from ingest.anonymize.key_file import read_key
from segwatch.cli.main import run
from segwatch.settings import settings
from tests.support import CASES

CAPTURE = str(CASES / "rto.pcap")
NOWHERE = "127.0.0.1:1"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([CAPTURE], "name an interface with --interface, or captures with --read"),
        (["--interface", "lo", "--read", CAPTURE], "choose one of them"),
        (["--interface", "lo", "--speed", "2"], "--speed has a meaning with --read only"),
        (["--read", CAPTURE, "--snaplen", "100"], "--snaplen has a meaning with --interface only"),
        (["--read", CAPTURE, "--no-promiscuous"], "--promiscuous has a meaning with --interface only"),
        (["--interface", "lo", "--buffer-size", "3x"], "'3x' is no size between 1m and 2047m"),
        (["--interface", "lo", "--buffer-size", "9g"], "'9g' is no size between 1m and 2047m"),
        (["--interface", "lo", "--snaplen", "20"], "20 is not in the range"),
        (["--read"], "Option '--read' requires an argument"),
        (["--read", CAPTURE, "--speed", "fast"], "'fast' is neither recorded nor max nor a number from 1e-09 to 1e+09"),
        (["--read", CAPTURE, "--speed", "0"], "'0' is neither recorded nor max nor a number from 1e-09 to 1e+09"),
        (
            ["--read", CAPTURE, "--speed", "1e308"],
            "'1e308' is neither recorded nor max nor a number from 1e-09 to 1e+09",
        ),
        (["--read", CAPTURE, "--patience", "nan"], "'nan' is no number"),
        (["--read", CAPTURE, "--speed", "nan"], "'nan' is neither recorded nor max nor a number from 1e-09 to 1e+09"),
        (["--read", CAPTURE, "--name", ""], "'' is no name"),
        (["--read", CAPTURE, "--name", "a\nb"], "is no name"),
        (["--read", CAPTURE, "--name", "gateway (replay)"], "replays of other sensors have names that end so"),
        (["--read", CAPTURE, "--patience", "0"], "0.0 is not in the range x>0"),
        (["--read", CAPTURE, "--kafka", "a:b"], "'a:b' is neither"),
        (["--read", CAPTURE, "--spool-bytes", "1"], "1 is not in the range x>=1048576"),
        (["--read", CAPTURE, "--spool-age", "soon"], "'soon' is not a valid integer"),
        (["--read", CAPTURE, "--kafka", NOWHERE, "--anonymize", "no-such-file"], "cannot be read from no-such-file"),
        (["--new-key", CAPTURE], "is there already, and is not overwritten"),
    ],
)
def test_wrong_use_gets_a_sentence(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sensor", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert sentence in err
    assert err.startswith("segwatch: ")
    assert len(err.splitlines()) == 1


def test_no_kafka_gets_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sensor", "--read", CAPTURE, "--kafka", NOWHERE]) == 6
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"segwatch: No Kafka broker answers ({NOWHERE}: connection refused)")


def test_a_check_tells_all_of_it_while_the_local_broker_is_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEGWATCH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    settings.cache_clear()
    check = ["sensor", "--check", "--read", CAPTURE, "--speed", "2", "--kafka", "local", "--name", "edge"]
    assert run(check) == 6
    out, err = capsys.readouterr()
    spool = tmp_path / "data" / "spool" / "edge"
    assert out.splitlines() == [
        f"It would read {CAPTURE}.",
        "Packets would come 2 times as fast as recorded.",
        "The sensor's name would be edge; settings come from the environment alone.",
        "Addresses would be published as they are.",
        f"While Kafka is away, segments would wait in {spool}: 1.1 GB and 24 h at most; it holds 0 messages now.",
    ]
    assert err.startswith("segwatch: The local broker does not run; start it with: segwatch broker start")
    assert run([*check, "no-such-file", "--anonymize", "no-such-key"]) == 3
    out, err = capsys.readouterr()
    assert [line for line in out.splitlines() if line.startswith("While Kafka is away")]
    for line, words in zip(
        err.splitlines(), ("no-such-file", "cannot be read from no-such-key", "local broker does not run"), strict=True
    ):
        assert line.startswith("segwatch: ")
        assert words in line


def test_interfaces_of_a_fleet_are_no_hindrance_to_captures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "sensor.toml"
    config.write_text(f'interfaces = ["lo"]\nfilter = "tcp"\nsnaplen = 20\nkafka = "{NOWHERE}"\n')
    assert run(["sensor", "--config", str(config), "--read", CAPTURE]) == 6
    assert run(["sensor", "--config", str(config), CAPTURE]) == 2
    assert "choose one of them" in capsys.readouterr().err
    assert run(["sensor", "--config", str(config)]) == 2
    assert "the setting snaplen must be from 96 to 262144 bytes, not 20" in capsys.readouterr().err


def test_a_new_key_is_made_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sensor", "--new-key", str(tmp_path / "key")]) == 0
    out, err = capsys.readouterr()
    assert (out.startswith(f"{tmp_path / 'key'} holds a new key: "), err) == (True, "")
    assert len(read_key(tmp_path / "key")) == 32
