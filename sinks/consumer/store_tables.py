"""The sink's connection to the store."""

from typing import Any

from segwatch.errors import StoreError, StoreUnavailableError
from sinks.connection import connect
from sinks.consumer.batch import Batch
from sinks.consumer.kinds import Kind
from sinks.schema import migrate
from sinks.store import LOCAL, store_address
from sinks.writer import Writer


class StoreTables:
    """The tables of the store at ``url``: ``ports.Tables``; a connection that failed is made anew."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: Any = None
        self._writer: Writer | None = None

    def open(self) -> str:
        """Connect, bring the tables to this version's schema, and return the store's name. Raises ``StoreError``."""
        address = store_address(self._url)
        client = connect(address)
        try:
            migrate(client, address)
        finally:
            client.disconnect()
        return str(address)

    def close(self) -> None:
        """End the connection."""
        if self._client is not None:
            self._client.disconnect()
        self._client, self._writer = None, None

    def insert(self, kind: Kind, batch: Batch) -> None:
        """Insert the rows of a batch under its token, once."""
        try:
            kind.write(self._connected(), batch.columns(), batch.origin(), batch.token)
        except StoreError:
            self.close()
            raise

    def _connected(self) -> Writer:
        if self._writer is None:
            try:
                address = store_address(self._url)
            except StoreError as error:
                if self._url != LOCAL:
                    raise
                raise StoreUnavailableError(str(error)) from error  # the local server is started again, and again
            self._client = connect(address)
            self._writer = Writer(self._client, address, attempts=1)
        return self._writer
