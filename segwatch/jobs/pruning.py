"""The job behind ``segwatch db prune``."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import click

from segwatch import __version__
from segwatch.errors import UsageError
from segwatch.jobs.lines import size_text, table_lines
from sinks.connection import connect
from sinks.pruning import Portion, count_captures, portions_of, portions_until, prune_session, prune_until
from sinks.sizes import today
from sinks.store import Store, store_address


@dataclass(frozen=True)
class PruneJob:
    """What to remove: rows that were stored ``days`` days ago or earlier, or all of ``session``."""

    store: str
    days: int | None
    session: str
    """32 hexadecimal digits; empty: no session."""
    tables: tuple[str, ...]
    """Empty: all of them, and captures are no longer listed."""
    dry_run: bool
    confirmed: bool
    as_json: bool

    def run(self) -> int:
        """Show what goes, ask, and remove it; return the exit code."""
        last = None if self.days is None else today() - timedelta(self.days)
        with _open(self.store) as store:
            portions, captures = self._find(store, last)
            is_wanted = not self.dry_run and bool(portions or captures)
            if is_wanted and not self._may_remove(store, portions):
                return 1
            if is_wanted:
                self._remove(store, last)
            self._report(str(store.address), portions, captures)
        return 0

    def _find(self, store: Store, last: date | None) -> tuple[list[Portion], int]:
        """Return the rows to remove, and how many captures are not listed any more."""
        if last is None:
            portions = portions_of(store.client, store.address, self.session, self.tables)
            captures = count_captures(store.client, store.address, session=self.session)
        else:
            portions = portions_until(store.client, store.address, last, self.tables)
            captures = count_captures(store.client, store.address, last=last)
        return portions, 0 if self.tables else captures

    def _may_remove(self, store: Store, portions: Sequence[Portion]) -> bool:
        if self.confirmed:
            return True
        if not sys.stdin.isatty():
            raise UsageError("nobody can be asked here: say --yes to remove the rows, or --dry-run to see them.")
        if not self.as_json:
            _print_portions(portions)
        return click.confirm(f"Remove {_amount(portions)} from the store {store.address}?", err=True)

    def _remove(self, store: Store, last: date | None) -> None:
        if last is None:
            prune_session(store.client, store.address, self.session, self.tables)
        else:
            prune_until(store.client, store.address, last, self.tables)

    def _report(self, store: str, portions: Sequence[Portion], captures: int) -> None:
        if self.as_json:
            document = {
                "segwatch": __version__,
                "store": store,
                "older_than_days": self.days,
                "session": self.session or None,
                "dry_run": self.dry_run,
                "captures": captures,
                "tables": [_document(portion) for portion in portions],
            }
            click.echo(json.dumps(document, indent=2))
            return
        if self.dry_run:
            _print_portions(portions)
        did = "Would remove" if self.dry_run else "Removed"
        listed = f", {captures:,} {'capture' if captures == 1 else 'captures'} among them" if captures else ""
        click.echo(f"{did} {_amount(portions)}{listed}.")


def _open(url: str) -> Store:
    """Open a store that is there: who removes rows, perhaps of a name that is mistyped, makes no database."""
    address = store_address(url)
    if not address.is_local:
        connect(address, create=False).disconnect()
    return Store(address)


def _document(portion: Portion) -> dict[str, Any]:
    return portion._asdict() | {"days": [str(day) for day in portion.days]}


def _amount(portions: Sequence[Portion]) -> str:
    rows = sum(portion.rows for portion in portions)
    size = sum(portion.bytes or 0 for portion in portions)
    room = f" ({size_text(size)} on disk)" if size else ""
    return f"{rows:,} {'row' if rows == 1 else 'rows'}{room}"


def _print_portions(portions: Sequence[Portion]) -> None:
    if not portions:
        return
    rows = [("table", "rows", "on disk", "first day", "last day")]
    for portion in portions:
        days = (str(portion.days[0]), str(portion.days[-1])) if portion.days else ("", "")
        size = "" if portion.bytes is None else size_text(portion.bytes)
        rows.append((portion.table, f"{portion.rows:,}", size, *days))
    click.echo("\n".join(table_lines(rows, (1, 2))))
