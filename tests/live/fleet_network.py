"""Namespaces of a fleet: client, two routers and server in a row, branches beside them, and a hub with the pipeline.

Every host has a second interface, by which it reaches the hub alone: what sensors publish is in no capture.
"""

from pathlib import Path
from typing import Final, NamedTuple

from segwatch.kafka.broker.files import Ports
from tests.live.namespaces import Namespaces
from tests.pipeline.cluster import Cluster

PARTITIONS: Final = 4
BRANCHES: Final = tuple(f"branch{number}" for number in range(1, 6))
SERVER_ADDRESSES: Final = ["10.77.3.2", "fd77:3::2"]
_HUB_ADDRESS: Final = "10.78.0.1"
_PORTS: Final = Ports(9092, 9093)
_SENSORS_PORT: Final = 9094
BROKER: Final = f"{_HUB_ADDRESS}:{_SENSORS_PORT}"
"""Where sensors find Kafka."""
_BRIDGE: Final = "switch"


class Place(NamedTuple):
    """Where a sensor is, whose name is that of its host, and what it captures."""

    host: str
    interfaces: tuple[str, ...] = ("uplink",)


PLACES: Final = (
    Place("router1", ("toclient",)),
    Place("router2", ("torouter1", "toserver")),
    Place("server"),
    *map(Place, BRANCHES),
)
"""The first three have all connections of the client, one hop after the other; the server those of the branches too."""


class FleetNetwork(Namespaces):
    """The hosts, by their names in ``at``, and the hub."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.at: dict[str, str] = {}

    def make(self) -> None:
        """Make the namespaces."""
        self.at = {host: self.add(host) for host in ("client", "router1", "router2", "server", *BRANCHES)}
        self.hub = self.add("hub")
        self._connect(1, "router1", "toclient", "client")
        self._connect(2, "router2", "torouter1", "router1")
        for subnet, host in enumerate(("server", *BRANCHES), 3):
            self._connect(subnet, "router2", f"to{host}", host)
        self.route(self.at["router2"], "1", 2, 2)
        for router in ("router1", "router2"):
            self.forward(self.at[router])
        self.lose_packets(self.at["router2"])
        self._make_hub()

    def _connect(self, subnet: int, router: str, interface: str, host: str) -> None:
        ends = ((self.at[router], interface), (self.at[host], "uplink"))
        self.pair(subnet, *ends)
        for namespace, name in ends:
            # Frames as they are on a wire: a capture of a file does not know the interface's MTU.
            self.run(namespace, "ethtool", "-K", name, "tso", "off", "gso", "off", "gro", "off")
        self.route(self.at[host], "default", subnet)

    def _make_hub(self) -> None:
        self.ip(self.hub, "link", "add", _BRIDGE, "type", "bridge")
        self.ip(self.hub, "address", "add", f"{_HUB_ADDRESS}/24", "dev", _BRIDGE)
        self.ip(self.hub, "link", "set", _BRIDGE, "up")
        for number, place in enumerate(PLACES, 10):
            host = self.at[place.host]
            self.ip(self.hub, "link", "add", place.host, "type", "veth", "peer", "name", "control", "netns", host)
            self.ip(host, "address", "add", f"10.78.0.{number}/24", "dev", "control")
            self.ip(host, "link", "set", "control", "up")
            self.ip(self.hub, "link", "set", place.host, "up")
            self.plug(place.host)

    def plug(self, host: str) -> None:
        """Let a sensor reach the hub."""
        self.ip(self.hub, "link", "set", host, "master", _BRIDGE)

    def unplug(self, host: str) -> None:
        """Cut a sensor off from the hub: its packets vanish, and its link stays up."""
        self.ip(self.hub, "link", "set", host, "nomaster")


def hub_cluster(folder: Path) -> Cluster:
    """Return the servers of a hub, to be started there: Kafka has a listener for sensors, beside the local one."""
    own = f"PLAINTEXT://127.0.0.1:{_PORTS.client},SENSORS://{BROKER}"
    cluster = Cluster(
        folder,
        PARTITIONS,
        {
            "listeners": f"{own},CONTROLLER://127.0.0.1:{_PORTS.controller}",
            "advertised.listeners": own,
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SENSORS:PLAINTEXT",
        },
    )
    cluster.broker.files.make_directory()
    cluster.broker.files.write_ports(_PORTS)
    return cluster
