"""``segwatch up --interface``: the whole pipeline and a live sensor, by one command."""

import sys
from pathlib import Path

from tests.live.namespaces import SERVER_ADDRESSES, SERVER_SIDE, network
from tests.live.traffic import Talk, serving

TALK = Talk(SERVER_ADDRESSES, bulk_bytes=100_000, short=50)


def test_what_an_interface_sees_is_stored(kafka_installed: None, tmp_path: Path) -> None:
    segwatch = [sys.executable, "-m", "segwatch"]
    environment = {
        "SEGWATCH_KAFKA": "local", "SEGWATCH_STORE": "local", "SEGWATCH_DATA_DIR": str(tmp_path / "data"),
    }  # fmt: skip
    with network(tmp_path) as net:
        net.ip(net.router, "link", "set", "lo", "up")
        net.start(net.server, *serving(SERVER_ADDRESSES), ready="listening")
        up = net.start(net.router, *segwatch, "up", "--interface", SERVER_SIDE, "--name", "edge", **environment)
        log = tmp_path / "data" / "up" / "sensor.log"
        net.wait(lambda: log.exists() and f"Capturing {SERVER_SIDE}" in log.read_text(), up)
        net.run(net.client, *TALK.command())
        net.stop(up)
        said = net.log(up)
        assert f"{SERVER_SIDE}: " in said, said
        assert " segments published, " in said
        assert " 0 rows stored" not in said
