"""The job behind ``segwatch interfaces``."""

import json

from ingest.capture.live.interfaces import Interface, list_interfaces
from segwatch.jobs.link_types import link_type_name

_TITLES = ("interface", "state", "link type", "MTU", "addresses")


def interfaces_json() -> str:
    """Return the interfaces as a JSON document. Raises InputError."""
    entries = [{**one._asdict(), "link_type_name": _link_type(one)} for one in list_interfaces()]
    return json.dumps({"interfaces": entries}, indent=2, ensure_ascii=False)


def interfaces_table() -> str:
    """Return the interfaces as a table for people. Raises InputError."""
    rows = [_TITLES, *(_row(one) for one in list_interfaces())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_TITLES))]
    return "\n".join(
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _row(one: Interface) -> tuple[str, ...]:
    mtu = "" if one.mtu is None else str(one.mtu)
    return one.name, one.state, _link_type(one), mtu, ", ".join(one.addresses) or one.description


def _link_type(one: Interface) -> str:
    return "unknown" if one.link_type is None else link_type_name(one.link_type)
