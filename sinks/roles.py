"""Who may do what in the store: the least that each role's programs need, as SQL and as a file of users.

A server whose access is managed in SQL takes ``as_sql``, one that reads ``users.d`` takes ``as_xml``. Neither holds a
password: SQL has its SHA-256, the file names a variable of the server's environment that has it.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

from sinks.connection import DEFAULT_DATABASE

_SINK_TABLES: Final = ("anomalies", "intervals", "verdicts", "segments", "sensors")
_VIEWED_TABLES: Final = ("anomalies", "intervals")
"""What materialized views read of an insert: with the rights of who inserts."""
_ENGINES: Final = (
    *("MergeTree", "AggregatingMergeTree", "ReplacingMergeTree"),
    # The same tables in a cluster:
    *("ReplicatedMergeTree", "ReplicatedAggregatingMergeTree", "ReplicatedReplacingMergeTree", "Distributed"),
)
_GIB: Final = 1 << 30


class Limit(NamedTuple):
    """A setting of a profile; a client may choose another value from ``least`` to ``most``: 0 would mean no limit."""

    name: str
    value: int
    least: int
    most: int


class StoreRole(NamedTuple):
    """What one kind of user may do."""

    name: str
    purpose: str
    grants: tuple[str, ...]
    """What follows ``GRANT``, with ``{database}`` for the name of the database."""
    limits: tuple[Limit, ...] = ()
    """With limits a user can only read."""

    @property
    def user(self) -> str:
        """Name of the user."""
        return f"segwatch_{self.name}"

    @property
    def role(self) -> str:
        """Name of the role in SQL: users and roles had better not share names."""
        return f"segwatch_{self.name}_role"

    @property
    def profile(self) -> str:
        """Name of the profile with the limits."""
        return f"segwatch_{self.name}_profile"

    @property
    def variable(self) -> str:
        """Variable of the server's environment that holds the SHA-256 of the user's password."""
        return f"SEGWATCH_{self.name.upper()}_SHA256"


STORE_ROLES: Final = (
    StoreRole(
        "migrate",
        "makes, changes and prunes the tables: segwatch schema, db; stores captures: segwatch analyze",
        (
            "CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP TABLE, DROP VIEW, ALTER, SELECT, INSERT ON {database}.*",
            *(f"TABLE ENGINE ON {engine}" for engine in _ENGINES),
            "CREATE FUNCTION, DROP FUNCTION ON *.*",
            *(f"SELECT ON system.{table}" for table in ("parts", "clusters", "macros")),
            "CLUSTER ON *.*",
            "READ ON REMOTE",
        ),
    ),
    StoreRole(
        "write",
        "stores what comes from Kafka: segwatch sink",
        (
            *(f"SELECT ON {{database}}.{table}" for table in ("schema_migrations", *_VIEWED_TABLES)),
            *(f"INSERT ON {{database}}.{table}" for table in _SINK_TABLES),
        ),
    ),
    StoreRole(
        "read",
        "asks: segwatch query, status, report",
        ("SELECT ON {database}.*",),
        (
            Limit("max_execution_time", 120, 1, 600),
            Limit("max_result_rows", 10_000_000, 1, 100_000_000),
            Limit("max_rows_to_read", 10_000_000_000, 1, 10_000_000_000),
            Limit("max_memory_usage", 8 * _GIB, 1, 8 * _GIB),
        ),
    ),
    StoreRole(
        "grafana",
        "asks for dashboards and alerts",
        ("SELECT ON {database}.*",),
        (
            Limit("max_execution_time", 30, 1, 60),
            Limit("max_result_rows", 1_000_000, 1, 1_000_000),
            Limit("max_rows_to_read", 2_000_000_000, 1, 2_000_000_000),
            Limit("max_memory_usage", 4 * _GIB, 1, 4 * _GIB),
        ),
    ),
)
_READ_ONLY: Final = 2
"""What the setting ``readonly`` is called that still lets a client choose other settings."""


def store_role(name: str) -> StoreRole:
    """Return the role of a name. Raises ``KeyError``."""
    return {role.name: role for role in STORE_ROLES}[name]


def as_sql(passwords: Mapping[str, str] | None = None, database: str = DEFAULT_DATABASE) -> str:
    """Return the statements that make roles and profiles, and the users of those roles that ``passwords`` has.

    They can be run again: rights are added, profiles and users are made anew.
    """
    statements = [statement for role in STORE_ROLES for statement in _role_statements(role, database)]
    for name, password in (passwords or {}).items():
        role = store_role(name)
        statements += [
            f"CREATE USER OR REPLACE {role.user} IDENTIFIED WITH sha256_hash BY '{password_hash(password)}'",
            f"GRANT {role.role} TO {role.user}",
        ]
    return "".join(f"{statement};\n" for statement in statements)


def password_hash(password: str) -> str:
    """Return what the server keeps of a password: 64 hexadecimal digits."""
    return hashlib.sha256(password.encode()).hexdigest()


def _role_statements(role: StoreRole, database: str) -> Iterator[str]:
    yield f"CREATE ROLE IF NOT EXISTS {role.role}"
    for grant in role.grants:
        yield f"GRANT {grant.format(database=database)} TO {role.role}"
    if role.limits:
        limits = ", ".join(f"{one.name} = {one.value} MIN {one.least} MAX {one.most}" for one in role.limits)
        yield (
            f"CREATE SETTINGS PROFILE OR REPLACE {role.profile} SETTINGS readonly = {_READ_ONLY}, {limits} "
            f"TO {role.role}"
        )


def as_xml(database: str = DEFAULT_DATABASE) -> str:
    """Return a file for the server's ``users.d``: the users with their rights and profiles."""
    lines = [
        "<!-- Made by segwatch db grants: users of a store, for users.d of a ClickHouse server. Each variable that is",
        "     named here must be in the server's environment: the SHA-256 of a password, 64 hexadecimal digits. -->",
        "<clickhouse>",
        "  <profiles>",
        *(line for role in STORE_ROLES if role.limits for line in _xml_profile(role)),
        "  </profiles>",
        "  <users>",
        *(line for role in STORE_ROLES for line in _xml_user(role, database)),
        "  </users>",
        "</clickhouse>",
    ]
    return "\n".join(lines) + "\n"


def _xml_profile(role: StoreRole) -> Iterator[str]:
    yield f"    <{role.profile}>"
    yield f"      <readonly>{_READ_ONLY}</readonly>"
    for one in role.limits:
        yield f"      <{one.name}>{one.value}</{one.name}>"
    yield "      <constraints>"
    for one in role.limits:
        yield f"        <{one.name}><min>{one.least}</min><max>{one.most}</max></{one.name}>"
    yield "      </constraints>"
    yield f"    </{role.profile}>"


def _xml_user(role: StoreRole, database: str) -> Iterator[str]:
    yield f"    <!-- {escape(role.purpose)} -->"
    yield f"    <{role.user}>"
    yield f'      <password_sha256_hex from_env="{role.variable}"/>'
    yield "      <networks><ip>::/0</ip></networks>"
    yield f"      <profile>{role.profile if role.limits else 'default'}</profile>"
    yield "      <quota>default</quota>"
    yield "      <grants>"
    for grant in role.grants:
        yield f"        <query>GRANT {grant.format(database=database)}</query>"
    yield "      </grants>"
    yield f"    </{role.user}>"
