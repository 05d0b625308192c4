"""What the store tells of the pipeline: rows, and how many come a second. Reads only, and starts nothing."""

import time
from typing import Any, Final

from segwatch.errors import StoreError
from sinks.connection import ServerAddress, as_store_errors, connect, parse_store_url
from sinks.local_server import LocalServer
from sinks.store import LOCAL

SAMPLE_SECONDS: Final = 2.0
"""Between the two looks that give the rate: a sink fills its tables about once a second."""
_TABLES: Final = ("anomalies", "verdicts", "intervals", "segments", "sensors")
_ROWS: Final = """
SELECT name, total_rows FROM system.tables WHERE database = currentDatabase() AND name IN %(tables)s
"""


class StoreLook:
    """Looks twice: when it is made, and when it is asked for what it saw. Raises ``StoreError``."""

    def __init__(self, store: str) -> None:
        self.address = _address(store)
        self._client: Any = connect(self.address, create=False)
        self._began = time.monotonic()
        self._rows = self._count()

    def seen(self) -> dict[str, Any]:
        """Wait until there was time enough between the looks; return rows by table, and rows a second."""
        time.sleep(max(0.0, self._began + SAMPLE_SECONDS - time.monotonic()))
        rows = self._count()
        seconds = time.monotonic() - self._began
        self._client.disconnect()
        come = sum(max(0, number - self._rows.get(table, 0)) for table, number in rows.items())
        return {"address": str(self.address), "rows": rows, "rows_per_second": come / seconds}

    def _count(self) -> dict[str, int]:
        with as_store_errors(self.address):
            found = dict(self._client.execute(_ROWS, {"tables": _TABLES}))
        return {table: int(found.get(table, 0)) for table in _TABLES}


def _address(store: str) -> ServerAddress:
    if store == "none":
        raise StoreError("The setting store is none.")
    if store != LOCAL:
        return parse_store_url(store)
    server = LocalServer()
    if not server.status().running:
        raise StoreError("The local store does not run; segwatch db start starts it.")
    return server.wait_ready()
