"""How many small packets a second ``segwatch watch`` takes: python -m tests.live.rate [--rate N] [--seconds N].

One end of a veth pair in a network namespace receives 64-byte frames, and watch captures it; with --alone nobody does,
which tells how many the kernel makes and takes.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.live.flood import FILTER, arguments
from tests.live.namespaces import CLIENT_SIDE, network

SEGWATCH = (sys.executable, "-m", "segwatch")


def measure(rate: int, seconds: float, flows: int, folder: Path, *options: str) -> dict[str, Any]:
    """Return what was sent and what became of it."""
    with network(folder) as net:
        # So that the pair has a receive queue for frames of a BPF program.
        net.run(net.router, "ethtool", "-K", CLIENT_SIDE, "gro", "on")
        watch = net.start(
            net.router, *SEGWATCH, "watch", "--interface", CLIENT_SIDE, "--allow-root", "--json", *options,
            "--filter", FILTER, ready='"kind"',
        )  # fmt: skip
        sender = net.start(net.router, *arguments(CLIENT_SIDE, flows, rate, seconds))
        assert sender.wait(seconds + 60) == 0, net.log(sender)
        sent = json.loads(net.log(sender).splitlines()[-1])
        net.stop(watch)
        documents = [json.loads(line) for line in net.log(watch).splitlines() if line.startswith("{")]
        summary = documents[-1]
        capture = summary["capture"]
        return {
            "sent": sent["sent"],
            "offered_a_second": round(sent["rate"]),
            "captured": capture["frames"],
            "analysed": summary["segments"],
            "kernel_drops": capture["kernel_drops"],
            "interface_drops": capture["interface_drops"],
            "shed_segments": capture["shed_segments"],
            "conversations": summary["conversations"],
            "labels": summary["labels"],
        }


def measure_alone(rate: int, seconds: float, flows: int, folder: Path) -> dict[str, Any]:
    """Return what was sent while nobody captured."""
    with network(folder) as net:
        net.run(net.router, "ethtool", "-K", CLIENT_SIDE, "gro", "on")
        sender = net.start(net.router, *arguments(CLIENT_SIDE, flows, rate, seconds))
        assert sender.wait(seconds + 60) == 0, net.log(sender)
        sent: dict[str, Any] = json.loads(net.log(sender).splitlines()[-1])
        return sent


def main() -> None:
    """Measure as the command line says, and print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=1_000_000, help="packets a second that are offered [1000000]")
    parser.add_argument("--seconds", type=float, default=20, help="how long [20]")
    parser.add_argument("--flows", type=int, default=1024, help="conversations [1024]")
    parser.add_argument("--buffer-size", default="64m", help="the kernel's ring [64m]")
    parser.add_argument("--alone", action="store_true", help="without watch")
    chosen = parser.parse_args()
    offered = chosen.rate, chosen.seconds, chosen.flows
    with tempfile.TemporaryDirectory() as folder:
        if chosen.alone:
            measured = measure_alone(*offered, Path(folder))
        else:
            measured = measure(*offered, Path(folder), "--buffer-size", chosen.buffer_size)
    sys.stdout.write(f"{json.dumps(measured, indent=2)}\n")


if __name__ == "__main__":
    main()
