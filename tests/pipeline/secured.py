"""A pipeline whose parts come to Kafka and ClickHouse by TLS, each as a user of its own with the least rights."""

from pathlib import Path

from segwatch.kafka.admin import create_topics
from sinks.local_server import LocalServer
from tests.kafka.secured import SecuredBroker
from tests.pipeline.cluster import PARTITIONS, Cluster
from tests.sinks.secured import SecuredStore

_STORE_ROLES = {"sink": "write"}


class SecuredCluster(Cluster):
    """A cluster of one machine; the test itself looks at it as its operator."""

    def __init__(self, folder: Path, partitions: int = PARTITIONS) -> None:
        super().__init__(folder, partitions)
        self.secured_broker = SecuredBroker(folder / "kafka")
        self.broker = self.secured_broker.local
        self.secured_store = SecuredStore(folder / "data", self.secured_broker.authority)

    def start(self) -> None:
        """Start Kafka with its topics and users, and ClickHouse with its tables and users."""
        plain = self.secured_broker.start()
        create_topics(plain, self.partitions)
        self.secured_broker.make_users()
        self.address = self.secured_broker.address("operator")
        self._start_store()
        self.secured_store.make_tables()

    def stop(self) -> None:
        """End everything."""
        super().stop()
        self.secured_store.stop()

    def environment_of(self, role: str) -> dict[str, str]:
        """Return the environment of the processes of a role."""
        own = self.secured_broker.environment(role)
        if role in _STORE_ROLES:
            own |= self.secured_store.environment(_STORE_ROLES[role])
        return self.environment | own

    def restart_clickhouse(self) -> None:
        """Start ClickHouse again."""
        self.secured_store.local = LocalServer(self.folder / "data")
        self._start_store()

    def _start_store(self) -> None:
        self.store = self.secured_store.start()
        self.clickhouse = self.secured_store.local
