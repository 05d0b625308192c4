"""The settings of the commands: flags over environment over a file, one model."""

import os
import tomllib
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

import platformdirs

from segwatch.errors import UsageError

PREFIX = "SEGWATCH_"
CONFIG_VARIABLE = "SEGWATCH_CONFIG"
_MOST_DIGITS = 16
_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")


@dataclass(frozen=True)
class Settings:
    """What a user can set; every field is ``SEGWATCH_<NAME>`` in the environment and ``<name>`` in the file."""

    store: str = "local"
    store_password: str = ""
    store_password_file: str = ""
    rules: str = "wireshark-4.0"
    segments: bool = False
    kafka: str = "local"
    spool: str = ""
    spool_bytes: int = 1 << 30
    spool_age: int = 86_400
    anonymize: str = ""
    metrics: str = ""
    idle_timeout: int = 3600
    closed_timeout: int = 240
    data_dir: Path = field(default_factory=lambda: Path(platformdirs.user_data_dir("segwatch")))
    cache_dir: Path = field(default_factory=lambda: Path(platformdirs.user_cache_dir("segwatch")))


MEANINGS = {
    "store": "Where findings go: `local` (this user's store), `none`, or `clickhouse://[user@]host[:port]/database`.",
    "store_password": "Password for the store.",
    "store_password_file": "File that holds the password for the store, where `store_password` is not set.",
    "rules": "Rule set of the analysis.",
    "segments": "Store a record of every segment too, not only of labelled ones.",
    "kafka": "Where Kafka is: `local` (this user's broker, see `segwatch broker`) or `host:port[,host:port]`.",
    "spool": "Folder of a sensor's own where segments wait while Kafka is away; `none`: the sensor itself waits.",
    "spool_bytes": "Bytes that the spool may hold on disk; then the oldest messages are given up, and counted.",
    "spool_age": "Seconds after which a message in the spool is given up, and counted.",
    "anonymize": "File of the key by which a sensor replaces addresses (see anonymization.md); empty: they stay.",
    "metrics": "Where sensor, processor and sink serve metrics and health, `[host:]port`; empty: nowhere.",
    "idle_timeout": "Seconds of silence after which a conversation in the stream is over; 0: never.",
    "closed_timeout": "The same for one that was reset or closed by both sides (RFC 9293: twice the maximum segment "
    "lifetime); 0: never. Both must be the same for all processors.",
    "data_dir": "Folder of the local store and of the local broker.",
    "cache_dir": "Folder of compiled code, of Apache Kafka for the local broker, and of reports on defects.",
}
"""A sentence for each setting."""


def config_path() -> Path:
    """Return where the file of settings is, or would be."""
    named = os.environ.get(CONFIG_VARIABLE)
    return Path(named) if named else Path(platformdirs.user_config_dir("segwatch")) / "segwatch.toml"


def export_settings() -> None:
    """Put what the file of settings says into the environment, where that says nothing: all parts look there.

    Raise UsageError where the file cannot be understood.
    """
    for name, value in _file_values(config_path(), must_exist=bool(os.environ.get(CONFIG_VARIABLE))).items():
        if not os.environ.get(PREFIX + name.upper()):
            os.environ[PREFIX + name.upper()] = str(value)


@cache
def settings() -> Settings:
    """Return the settings of this process; raise UsageError where one cannot be understood."""
    return load_settings(dict(os.environ), config_path())


def load_settings(environment: dict[str, str], path: Path) -> Settings:
    """Return the settings that ``environment`` and the file ``path`` make (a missing file is an empty one).

    A variable that is empty counts as one that is not set.
    Raise UsageError for a file that cannot be read, is no TOML or names an unknown setting, for a value of the wrong
    kind, and where ``SEGWATCH_CONFIG`` names a file that is not there.
    """
    values = _file_values(path, must_exist=bool(environment.get(CONFIG_VARIABLE)))
    for one in fields(Settings):
        variable = PREFIX + one.name.upper()
        if value := environment.get(variable):
            values[one.name] = _understood(one.name, value, f"the variable {variable}")
    return Settings(**values)


def _file_values(path: Path, *, must_exist: bool) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if must_exist:
            raise UsageError(f"there is no file of settings {path}, which {CONFIG_VARIABLE} names.") from None
        return {}
    except OSError as error:
        raise UsageError(f"the settings in {path} cannot be read: {os.strerror(error.errno or 0)}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the settings in {path} are no valid TOML: {error}.") from error
    known = {one.name for one in fields(Settings)}
    if unknown := sorted(set(content) - known):
        raise UsageError(f"{path} names {unknown[0]}, which is no setting: {', '.join(sorted(known))} are.")
    return {name: _understood(name, value, f"{name} in {path}") for name, value in content.items()}


def _understood(name: str, value: object, source: str) -> Any:
    kind = next(one.type for one in fields(Settings) if one.name == name)
    if kind is bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in _YES + _NO:
            return value.lower() in _YES
        raise UsageError(f"{source} must be true or false, not {value!r}.")
    if kind is int:
        text = str(value)
        if isinstance(value, bool) or not (text.isascii() and text.isdecimal() and len(text) < _MOST_DIGITS):
            raise UsageError(f"{source} must be a whole number from 0, not {value!r}.")
        return int(text)
    if not isinstance(value, str):
        raise UsageError(f"{source} must be text, not {value!r}.")
    return value if kind is str else Path(value).expanduser()


def settings_reference() -> str:
    """Return the page of documentation that lists all settings (docs/settings.md)."""
    lines = [
        "# Settings",
        "",
        "A flag of a command stands over the environment, and the environment over the file of settings:",
        "`~/.config/segwatch/segwatch.toml`, or the file that `SEGWATCH_CONFIG` names. The file is TOML, one",
        '`name = value` per line, for example `store = "none"`. An empty variable counts as not set. Secrets have no',
        "flag.",
        "",
        "| name in the file | environment | default | meaning |",
        "| --- | --- | --- | --- |",
    ]
    places = {
        "spool": "`spool/NAME` in the data folder",
        "data_dir": "the user's data folder",
        "cache_dir": "the user's cache folder",
    }
    for one in fields(Settings):
        value = places.get(one.name) or getattr(Settings, one.name)
        shown = value if one.name in places else f"`{str(value).lower()}`" if value != "" else "(empty)"
        lines.append(f"| `{one.name}` | `{PREFIX}{one.name.upper()}` | {shown} | {MEANINGS[one.name]} |")
    return "\n".join(lines) + "\n"
