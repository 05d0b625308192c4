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
SENSOR_CONFIG = Path("/etc/segwatch/sensor.toml")
"""The file of a sensor that is a service, where no other is named."""
_MOST_DIGITS = 16
LEAST_SNAPLEN, MOST_SNAPLEN = 96, 262144
_SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_LEAST_BUFFER, _MOST_BUFFER = 1 << 20, 1 << 31
_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")


@dataclass(frozen=True)
class Settings:
    """What a user can set; every field is ``SEGWATCH_<NAME>`` in the environment and ``<name>`` in the file."""

    store: str = "local"
    store_password: str = field(default="", repr=False)
    store_password_file: str = ""
    store_ca_file: str = ""
    rules: str = "wireshark-4.0"
    segments: bool = False
    kafka: str = "local"
    kafka_security: str = "plaintext"
    kafka_ca_file: str = ""
    kafka_user: str = ""
    kafka_password: str = field(default="", repr=False)
    kafka_password_file: str = ""
    name: str = ""
    interfaces: tuple[str, ...] = ()
    filter: str = ""
    snaplen: int = 256
    buffer_size: str = "32m"
    spool: str = ""
    spool_bytes: int = 1 << 30
    spool_age: int = 86_400
    anonymize: str = ""
    metrics: str = ""
    idle_timeout: int = 3600
    closed_timeout: int = 240
    most_conversations: int = 500_000
    keep_anomalies_days: int = 90
    keep_intervals_days: int = 90
    keep_verdicts_days: int = 90
    keep_segments_days: int = 7
    keep_sensors_days: int = 90
    keep_rollups_days: int = 400
    data_dir: Path = field(default_factory=lambda: Path(platformdirs.user_data_dir("segwatch")))
    cache_dir: Path = field(default_factory=lambda: Path(platformdirs.user_cache_dir("segwatch")))


MEANINGS = {
    "store": "Where findings go: `local` (this user's store), `none`, or `clickhouse://[user@]host[:port]/database`; "
    "`clickhouses://` is the same with TLS.",
    "store_password": "Password for the store.",
    "store_password_file": "File that holds the password for the store, where `store_password` is not set.",
    "store_ca_file": "File of the certificates (PEM) by which the certificate of a store at `clickhouses://` is "
    "verified; empty: those that this machine trusts.",
    "rules": "Rule set of the analysis: `wireshark-4.0` or `wireshark-2.2` (see `docs/labels.md`).",
    "segments": "Store a record of every segment too, not only of labelled ones.",
    "kafka": "Where Kafka is: `local` (this user's broker, see `segwatch broker`) or `host:port[,host:port]`.",
    "kafka_security": "What Kafka calls security.protocol: `plaintext`, `ssl`, `sasl_plaintext` or `sasl_ssl` (see "
    "`docs/security.md`); the local broker speaks plain text.",
    "kafka_ca_file": "File of the certificates (PEM) by which those of the brokers are verified; empty: those that "
    "this machine trusts.",
    "kafka_user": "Name by which `sasl_plaintext` and `sasl_ssl` log in (SCRAM-SHA-512).",
    "kafka_password": "Password of that user.",
    "kafka_password_file": "File that holds that password, where `kafka_password` is not set.",
    "name": "Name of a sensor.",
    "interfaces": "Interfaces that a sensor captures, a list in the file, separated by commas in the environment.",
    "filter": "What of their traffic, in the language of pcap-filter(7); empty: all.",
    "snaplen": "Bytes that a sensor captures of a frame.",
    "buffer_size": "The kernel's ring for captured packets, in bytes, or with k, m or g behind the number.",
    "spool": "Folder of a sensor's own where segments wait while Kafka is away; `none`: the sensor itself waits.",
    "spool_bytes": "Bytes that the spool may hold on disk; then the oldest messages are given up, and counted.",
    "spool_age": "Seconds after which a message in the spool is given up, and counted.",
    "anonymize": "File of the key by which a sensor replaces addresses (see anonymization.md); empty: they stay.",
    "metrics": "Where sensor, processor and sink serve metrics and health, `[host:]port`; empty: nowhere.",
    "idle_timeout": "Seconds of silence after which a conversation in the stream is over; 0: never.",
    "closed_timeout": "The same for one that was reset or closed by both sides (RFC 9293: twice the maximum segment "
    "lifetime); 0: never.",
    "most_conversations": "Conversations that a processor remembers of a partition at most, at about a kilobyte each; "
    "beyond that it forgets those that were silent longest. This and the timeouts must be the same for all processors.",
    "keep_anomalies_days": "Days after which a row of `anomalies` leaves the store, from the day of storing; 0: never. "
    "Which store follows this and the next five, and when: see `docs/retention.md`.",
    "keep_intervals_days": "The same for `intervals`.",
    "keep_verdicts_days": "The same for `verdicts`.",
    "keep_segments_days": "The same for `segments`.",
    "keep_sensors_days": "The same for `sensors`.",
    "keep_rollups_days": "The same for the rollups `flows`, `anomalies_1m`, `traffic_1m` and `hosts_1m`: they outlive "
    "the details.",
    "data_dir": "Folder of the local store and of the local broker.",
    "cache_dir": "Folder of compiled code, of Apache Kafka for the local broker, and of reports on defects.",
}
"""A sentence for each setting."""


_exported: dict[str, str] = {}
"""What the file of settings has put into the environment."""


def config_path() -> Path:
    """Return where the file of settings is, or would be."""
    named = os.environ.get(CONFIG_VARIABLE)
    return Path(named) if named else Path(platformdirs.user_config_dir("segwatch")) / "segwatch.toml"


def export_settings() -> None:
    """Put what the file of settings says into the environment, where that says nothing: all parts look there.

    Raise UsageError where the file cannot be understood.
    """
    for name, value in _file_values(config_path(), must_exist=bool(os.environ.get(CONFIG_VARIABLE))).items():
        variable = PREFIX + name.upper()
        if not os.environ.get(variable):
            os.environ[variable] = _exported[variable] = ",".join(value) if isinstance(value, tuple) else str(value)


def use_config(path: Path) -> None:
    """Take ``path`` for the file of settings, instead of the one that was exported. Raise UsageError as that does."""
    os.environ[CONFIG_VARIABLE] = str(path)
    _take_back()
    export_settings()


def read_again() -> Settings:
    """Return the settings as the file has them now. Raise UsageError, and change nothing, where it has a fault."""
    load_settings({CONFIG_VARIABLE: os.environ.get(CONFIG_VARIABLE, "")}, config_path())
    _take_back()
    export_settings()
    return settings()


def choose(name: str, value: str) -> None:
    """Put a setting over what the file and the environment say, for this process and for those that it starts."""
    variable = PREFIX + name.upper()
    os.environ[variable] = value
    _exported.pop(variable, None)
    settings.cache_clear()


def _take_back() -> None:
    """Forget what the file of settings has said."""
    for variable, value in _exported.items():
        if os.environ.get(variable) == value:
            del os.environ[variable]
    _exported.clear()
    settings.cache_clear()


def use_sensor_config(named: str | None) -> None:
    """Take the file ``named``, or that of a sensor which is a service where nothing else says what to do."""
    if named:
        use_config(Path(named))
    elif not os.environ.get(CONFIG_VARIABLE) and not config_path().exists() and SENSOR_CONFIG.exists():
        use_config(SENSOR_CONFIG)


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


def buffer_bytes(text: str) -> int:
    """Return the bytes that the setting ``buffer_size`` means. Raises UsageError."""
    digits = text.strip().lower().rstrip("kmg")
    unit = text.strip().lower()[len(digits) :]
    size = int(digits) * _SIZES.get(unit, 0) if digits.isascii() and digits.isdecimal() else 0
    if not _LEAST_BUFFER <= size < _MOST_BUFFER:
        raise UsageError(f"the buffer size {text!r} is no size between 1m and 2047m.")
    return size


def _file_values(path: Path, *, must_exist: bool) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if must_exist:
            raise UsageError(
                f"there is no file of settings {path}, which --config or {CONFIG_VARIABLE} names."
            ) from None
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
    if kind not in {str, Path}:
        return _understood_list(value, source)
    if not isinstance(value, str):
        raise UsageError(f"{source} must be text{'' if name.endswith('password') else f', not {value!r}'}.")
    return value if kind is str else Path(value).expanduser()


def _understood_list(value: object, source: str) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) and part.strip() for part in parts):
        raise UsageError(f"{source} must be a list of texts, not {value!r}.")
    return tuple(part.strip() for part in parts)


def settings_reference() -> str:
    """Return the page of documentation that lists all settings (docs/settings.md)."""
    lines = [
        "# Settings",
        "",
        "A flag of a command stands over the environment, and the environment over the file of settings:",
        "`~/.config/segwatch/segwatch.toml`, or the file that `SEGWATCH_CONFIG` names. `segwatch sensor` takes a file",
        "by `--config` too, and where there is none of these, `/etc/segwatch/sensor.toml`. The file is TOML, one",
        '`name = value` per line, for example `store = "none"`. An empty variable counts as not set. Secrets have no',
        "flag.",
        "",
        "| name in the file | environment | default | meaning |",
        "| --- | --- | --- | --- |",
    ]
    places = {
        "name": "the host's name",
        "spool": "`spool/NAME` in the data folder",
        "data_dir": "the user's data folder",
        "cache_dir": "the user's cache folder",
    }
    for one in fields(Settings):
        value = places.get(one.name) or getattr(Settings, one.name)
        shown = value if one.name in places else f"`{str(value).lower()}`" if value not in {"", ()} else "(empty)"
        lines.append(f"| `{one.name}` | `{PREFIX}{one.name.upper()}` | {shown} | {MEANINGS[one.name]} |")
    return "\n".join(lines) + "\n"
