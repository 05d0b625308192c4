"""Where the rows of the tables lie: on one server, or on the shards of a cluster."""

import re
from typing import Any, NamedTuple

LOCAL_SUFFIX = "_local"
"""What the name of a shard's table has behind that of the table over all shards."""

_CLUSTER = re.compile(r"Distributed\('([^']+)'")


class Layout(NamedTuple):
    """How statements reach the rows of a table."""

    cluster: str = ""
    """Name of the cluster; empty: all rows are on the server that is asked."""
    sharded: frozenset[str] = frozenset()
    """Tables whose rows are divided among the shards."""

    def rows(self, table: str) -> str:
        """Return the name of the table that holds rows of ``table`` on each server."""
        return table + LOCAL_SUFFIX if table in self.sharded else table

    def named(self, table: str) -> str:
        """Return the table's name for a statement that changes rows or the table itself, wherever they are."""
        return f"{self.rows(table)} ON CLUSTER '{self.cluster}'" if table in self.sharded else table

    def facts(self, name: str) -> str:
        """Return a table of ``system`` for a query: with one copy of each shard."""
        return f"cluster('{self.cluster}', system.{name})" if self.cluster else f"system.{name}"


ONE_SERVER = Layout()


def read_layout(client: Any) -> Layout:
    """Return the layout of the client's database."""
    rows = client.execute(
        "SELECT name, engine_full FROM system.tables WHERE database = currentDatabase() AND engine = 'Distributed'"
    )
    clusters = [match[1] for _, engine in rows if (match := _CLUSTER.match(engine))]
    return Layout(clusters[0], frozenset(name for name, _ in rows)) if clusters else ONE_SERVER
